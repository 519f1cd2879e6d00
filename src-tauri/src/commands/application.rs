//! Commands for the app itself, such as its version, start and appearance.

use serde::Serialize;
use specta::Type;
use tauri::{AppHandle, State};
use usher_api::ErrorView;

use crate::desktop_features::{DesktopFeatures, DesktopView};
use crate::engine_slot::EngineSlot;
use crate::links::registration::LinkRegistration;
use crate::links::start_link::StartLink;
use crate::options::Paths;
use crate::settings::{Appearance, Settings};
use crate::window::page_request::{PageRequest, PageRequests};
use crate::{autostart, error, start, window};

/// Information about the app, for the page.
#[derive(Clone, Debug, PartialEq, Serialize, Type)]
pub struct AppInfo {
    pub version: String,
    pub platform: Platform,
    /// The path of `mcp.json`, even if the engine could not start.
    pub config_path: String,
    pub state_dir: String,
    /// The reason why the engine is not running; `None` while it is starting or running.
    pub start_error: Option<ErrorView>,
    /// Whether the system delivers `dev.usher.desktop:` links to this app.
    pub receives_links: bool,
    pub appearance: Appearance,
    /// The desktop's features; `desktop_changed` reports changes.
    pub desktop: DesktopView,
}

/// The operating system, for the page's help texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "each build uses one of them")]
pub enum Platform {
    Linux,
    Macos,
    Windows,
}

impl Platform {
    #[cfg(windows)]
    const CURRENT: Self = Self::Windows;
    #[cfg(target_os = "macos")]
    const CURRENT: Self = Self::Macos;
    #[cfg(not(any(windows, target_os = "macos")))]
    const CURRENT: Self = Self::Linux;
}

/// Returns information about the app, without waiting for the engine.
#[tauri::command]
#[specta::specta]
pub fn app_info(
    app: AppHandle,
    paths: State<'_, Paths>,
    settings: State<'_, Settings>,
    engine: State<'_, EngineSlot>,
    links: State<'_, LinkRegistration>,
    desktop: State<'_, DesktopFeatures>,
) -> Result<AppInfo, ErrorView> {
    // The desktop's own settings can change autostart without a signal.
    desktop.set_autostart(autostart::state(&app));
    Ok(AppInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: Platform::CURRENT,
        config_path: paths.config.display().to_string(),
        state_dir: paths.state_dir.display().to_string(),
        start_error: engine.start_error(),
        receives_links: links.is_active(),
        appearance: settings.appearance(),
        desktop: desktop.view(),
    })
}

/// Waits for the outcome of the link that started the app. Returns an error only once. Succeeds if there was no link.
#[tauri::command]
#[specta::specta]
pub async fn start_link(link: State<'_, StartLink>) -> Result<(), ErrorView> {
    link.take().await
}

/// Takes the request that a click in the tray or on a notification left. The page calls this when it starts to listen
/// for `page_requested`, and after each of these events.
#[tauri::command]
#[specta::specta]
pub fn page_request_take(requests: State<'_, PageRequests>) -> Result<Option<PageRequest>, ErrorView> {
    Ok(requests.take())
}

/// Starts the engine again after `start_error`. A `snapshot_taken` event follows once the engine is running.
#[tauri::command]
#[specta::specta]
pub async fn app_retry(app: AppHandle, engine: State<'_, EngineSlot>) -> Result<(), ErrorView> {
    if engine.reset_failure() {
        start::start_engine(&app).await;
    }
    engine.get().await.map(drop)
}

/// Shows the window. The page calls this when its first screen is in the document. The page does not wait for an
/// animation frame, because a hidden window may never get one.
#[tauri::command]
#[specta::specta]
pub fn app_ready(app: AppHandle) -> Result<(), ErrorView> {
    window::show(&app);
    Ok(())
}

/// Reports that the first interactive screen is painted. If `USHER_BENCH` is set, prints a line to stderr, so
/// that a benchmark can measure the start.
#[tauri::command]
#[specta::specta]
pub fn app_painted() -> Result<(), ErrorView> {
    if std::env::var_os("USHER_BENCH").is_some() {
        eprintln!("usher-ready");
    }
    Ok(())
}

/// Sets and saves the appearance.
#[tauri::command]
#[specta::specta]
pub fn appearance_set(
    app: AppHandle,
    settings: State<'_, Settings>,
    appearance: Appearance,
) -> Result<(), ErrorView> {
    settings.set_appearance(appearance);
    window::set_appearance(&app, appearance).map_err(|why| {
        error::internal(
            "Could not change the appearance of the open window.",
            "Restart Usher to apply it.",
            why,
        )
    })
}

/// Enables or disables autostart at login. If there is a tray, such a start opens no window.
#[tauri::command]
#[specta::specta]
pub fn autostart_set(
    app: AppHandle,
    desktop: State<'_, DesktopFeatures>,
    enabled: bool,
) -> Result<(), ErrorView> {
    let outcome = autostart::set(&app, enabled);
    desktop.set_autostart(autostart::state(&app));
    outcome.map_err(|why| {
        error::internal(
            "Could not change whether Usher starts at login.",
            "Change it in your desktop's settings for startup applications.",
            why,
        )
    })
}
