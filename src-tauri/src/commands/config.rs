//! `mcp.json`, the person's own file.

use usher_engine::{ConfigView, ErrorView};

/// Opens the file in the person's editor; makes an empty one where there is none.
#[tauri::command]
#[specta::specta]
pub async fn config_open() -> Result<(), ErrorView> {
    Err(super::not_yet())
}

/// Reads the file again, now.
#[tauri::command]
#[specta::specta]
pub async fn config_check() -> Result<ConfigView, ErrorView> {
    Err(super::not_yet())
}
