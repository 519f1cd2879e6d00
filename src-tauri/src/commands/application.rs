//! The app itself: what it is, how it started, how it looks.

use serde::Serialize;
use specta::Type;
use tauri::{AppHandle, State};
use usher_api::ErrorView;

use crate::desktop::DesktopView;
use crate::settings::Appearance;
use crate::shell::{self, Shell};
use crate::wanted::WantedPage;
use crate::{autostart, error, window};

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
    /// What this desktop has around the window; `desktop_changed` tells of changes.
    pub desktop: DesktopView,
}

/// Which system's help the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "a build knows one of them")]
pub enum Platform {
    Linux,
    Macos,
    Windows,
}

impl Platform {
    #[cfg(windows)]
    const OURS: Self = Self::Windows;
    #[cfg(target_os = "macos")]
    const OURS: Self = Self::Macos;
    #[cfg(not(any(windows, target_os = "macos")))]
    const OURS: Self = Self::Linux;
}

/// Never waits.
#[tauri::command]
#[specta::specta]
pub fn app_info(app: AppHandle, shell: State<'_, Shell>) -> Result<AppInfo, ErrorView> {
    // The desktop's own settings change it too, and tell nobody.
    shell.desktop.set_autostart(autostart::state(&app));
    Ok(AppInfo {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        platform: Platform::OURS,
        config_path: shell.places.config.display().to_string(),
        state_dir: shell.places.state_dir.display().to_string(),
        start_error: shell.engine.start_error(),
        receives_links: shell.links.come(),
        appearance: shell.settings.appearance(),
        desktop: shell.desktop.view(),
    })
}

/// What became of the link that the app was started by, as soon as that is known: fine where there was none, or where
/// it completed a sign-in; else why it did not. The page asks once.
#[tauri::command]
#[specta::specta]
pub async fn start_link(shell: State<'_, Shell>) -> Result<(), ErrorView> {
    let mut outcomes = shell.start_link.subscribe();
    let outcome = match outcomes.wait_for(Option::is_some).await.as_deref() {
        Ok(Some(outcome)) => outcome.clone(),
        Ok(None) | Err(_) => Ok(()),
    };
    // A window that is opened later has nothing to do with that link.
    shell.start_link.send_replace(Some(Ok(())));
    outcome
}

/// What the person asked for in the tray or by a notification, for whoever takes it first. The window does once it
/// listens for `page_wanted`, and at each of them.
#[tauri::command]
#[specta::specta]
pub fn wanted_page(shell: State<'_, Shell>) -> Result<Option<WantedPage>, ErrorView> {
    Ok(shell.wanted.take())
}

/// Starts the engine again after `start_error`. A `snapshot_taken` event follows when it runs.
#[tauri::command]
#[specta::specta]
pub async fn app_retry(app: AppHandle, shell: State<'_, Shell>) -> Result<(), ErrorView> {
    if shell.engine.begin_again() {
        shell::start(&app).await;
    }
    shell.engine.get().await.map(drop)
}

/// Shows the window: the page calls it once its first screen is in the document, and not from an animation frame,
/// of which a hidden window may get none.
#[tauri::command]
#[specta::specta]
pub fn app_ready(app: AppHandle) -> Result<(), ErrorView> {
    window::show(&app);
    Ok(())
}

/// The first interactive screen is painted. Whoever measures the start (`USHER_BENCH`) reads it from standard error.
#[tauri::command]
#[specta::specta]
pub fn app_painted() -> Result<(), ErrorView> {
    if std::env::var_os("USHER_BENCH").is_some() {
        eprintln!("usher-ready");
    }
    Ok(())
}

/// Light, dark, or as the system; remembered.
#[tauri::command]
#[specta::specta]
pub fn appearance_set(
    app: AppHandle,
    shell: State<'_, Shell>,
    appearance: Appearance,
) -> Result<(), ErrorView> {
    shell.settings.set_appearance(appearance);
    window::set_appearance(&app, appearance).map_err(|why| {
        error::internal("The look could not be changed.", "It will be at the next start.", why)
    })
}

/// Whether the app starts when the person logs in: hidden in the tray, where there is one.
#[tauri::command]
#[specta::specta]
pub fn autostart_set(app: AppHandle, shell: State<'_, Shell>, enabled: bool) -> Result<(), ErrorView> {
    let outcome = autostart::set(&app, enabled);
    shell.desktop.set_autostart(autostart::state(&app));
    outcome.map_err(|why| {
        error::internal(
            "The start at login could not be changed.",
            "Add Usher to the programs that your desktop starts at login by hand.",
            why,
        )
    })
}
