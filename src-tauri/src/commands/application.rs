//! The app itself: what it is, how it started, how it looks.

use serde::{Deserialize, Serialize};
use specta::Type;
use usher_engine::ErrorView;

/// What the page needs to know about the app around it.
#[derive(Clone, Debug, PartialEq, Serialize, Type)]
pub struct AppInfo {
    pub version: String,
    pub platform: Platform,
    /// Where `mcp.json` lies, also while the engine could not start.
    pub config_path: String,
    pub state_dir: String,
    /// Why the engine is not running. `None` while it starts and once it runs.
    pub start_error: Option<ErrorView>,
    /// Whether the system brings `dev.usher.desktop:` links to this app.
    pub receives_links: bool,
    pub appearance: Appearance,
}

/// Which system's help the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Linux,
    Macos,
    Windows,
}

/// Light or dark, or whatever the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Appearance {
    #[default]
    System,
    Light,
    Dark,
}

#[tauri::command]
#[specta::specta]
pub async fn app_info() -> Result<AppInfo, ErrorView> {
    Err(super::not_yet())
}

/// Starts the engine again after `start_error`.
#[tauri::command]
#[specta::specta]
pub async fn app_retry() -> Result<(), ErrorView> {
    Err(super::not_yet())
}

/// Shows the window: the page calls it once its first screen is in the document, and not from an animation frame,
/// of which a hidden window may get none.
#[tauri::command]
#[specta::specta]
pub async fn app_ready() -> Result<(), ErrorView> {
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn appearance_set(appearance: Appearance) -> Result<(), ErrorView> {
    let _ = appearance;
    Err(super::not_yet())
}
