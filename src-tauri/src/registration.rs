//! Whether links come to this app, on each system in its own way.

use std::sync::atomic::{AtomicBool, Ordering};

use tauri::AppHandle;

/// What the system answered when it was asked to bring links here.
#[derive(Default)]
pub struct Links(AtomicBool);

impl Links {
    /// Whether links come; `false` until the system has answered.
    pub fn come(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks the system to bring links here. Never fails: without links there are other ways back.
    pub async fn register(&self, app: &AppHandle) -> bool {
        let app = app.clone();
        let come = tauri::async_runtime::spawn_blocking(move || register(&app)).await.unwrap_or(false);
        self.0.store(come, Ordering::Relaxed);
        come
    }
}

#[cfg(target_os = "linux")]
fn register(app: &AppHandle) -> bool {
    use tauri::Manager;

    use crate::{handler, shell::Shell};

    let paths = app.path();
    let (Ok(program), Ok(data), Ok(config)) =
        (tauri::process::current_binary(&app.env()), paths.data_dir(), paths.config_dir())
    else {
        return false;
    };
    let state = app.state::<Shell>().places.state_dir.clone();
    let shared = handler::packaged::shared_folders(std::env::var("XDG_DATA_DIRS").ok().as_deref());
    handler::register(&program, &handler::Folders { data, config, state, shared })
}

/// macOS reads the scheme from the bundle; Windows takes it into the person's registry.
#[cfg(not(target_os = "linux"))]
fn register(app: &AppHandle) -> bool {
    use tauri_plugin_deep_link::DeepLinkExt;

    if cfg!(windows)
        && let Err(error) = app.deep_link().register_all()
    {
        tracing::warn!(%error, "links will not come back to Usher by themselves");
    }
    app.deep_link().is_registered("dev.usher.desktop").unwrap_or(cfg!(target_os = "macos"))
}
