//! Notices when the system's keychain comes back, so that nobody has to press a button for it.

use std::time::Duration;

use tauri::{AppHandle, Manager};
use tokio::sync::mpsc;
use usher_api::SecretStoreView;
use usher_engine::Engine;

use crate::commands::secret_store;
use crate::shell::Shell;

/// A keychain that appears takes its name first and opens its collections after that, and tells several things at once.
const SETTLES_WITHIN: Duration = Duration::from_millis(300);

/// Tries the secret store again whenever the keychain changes while it cannot be used. Nobody is asked for a password.
pub fn follow(app: &AppHandle, engine: &Engine) {
    let (changed, mut changes) = mpsc::unbounded_channel();
    let watching = tauri::async_runtime::spawn(usher_secrets::watch_keychain(changed));
    let (app, engine) = (app.clone(), engine.clone());
    tauri::async_runtime::spawn(async move {
        while changes.recv().await.is_some() {
            tokio::time::sleep(SETTLES_WITHIN).await;
            while changes.try_recv().is_ok() {}
            if !matches!(engine.snapshot().secret_store, SecretStoreView::Keychain { error: Some(_) }) {
                continue;
            }
            match secret_store::recheck(&app.state::<Shell>()).await {
                Ok(()) => tracing::info!("the keychain is back"),
                Err(error) => {
                    tracing::info!(code = ?error.code, "the keychain changed and still cannot be used")
                }
            }
        }
        watching.abort();
    });
}
