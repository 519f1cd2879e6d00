//! The registration of this app for `dev.usher.desktop:` links, on each system.

use std::sync::atomic::{AtomicBool, Ordering};

use tauri::AppHandle;

/// Whether the system delivers links to this app.
#[derive(Default)]
pub struct LinkRegistration(AtomicBool);

impl LinkRegistration {
    /// Whether the system has confirmed the registration.
    pub fn is_active(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Registers the app, and returns whether links will arrive. Without links, sign-ins use other redirects.
    pub async fn register(&self, app: &AppHandle) -> bool {
        let app = app.clone();
        let is_active = tauri::async_runtime::spawn_blocking(move || register(&app)).await.unwrap_or(false);
        self.0.store(is_active, Ordering::Relaxed);
        is_active
    }
}

#[cfg(target_os = "linux")]
fn register(app: &AppHandle) -> bool {
    use tauri::Manager;

    use super::{desktop_entry, packaged_entry};
    use crate::options::Paths;

    let paths = app.path();
    let (Ok(program), Ok(data), Ok(config)) =
        (tauri::process::current_binary(&app.env()), paths.data_dir(), paths.config_dir())
    else {
        return false;
    };
    let state = app.state::<Paths>().state_dir.clone();
    let shared = packaged_entry::shared_folders(std::env::var("XDG_DATA_DIRS").ok().as_deref());
    desktop_entry::register(&program, &desktop_entry::Folders { data, config, state, shared })
}

/// macOS reads the scheme from the bundle. On Windows it is written to the person's registry.
#[cfg(not(target_os = "linux"))]
fn register(app: &AppHandle) -> bool {
    use tauri_plugin_deep_link::DeepLinkExt;

    if cfg!(windows)
        && let Err(error) = app.deep_link().register_all()
    {
        tracing::warn!(%error, "links will not open Usher automatically");
    }
    app.deep_link().is_registered("dev.usher.desktop").unwrap_or(cfg!(target_os = "macos"))
}
