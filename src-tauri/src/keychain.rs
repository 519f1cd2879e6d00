//! Retries the secret store when the keychain changes.

use std::time::Duration;

use tauri::AppHandle;
use tokio::sync::mpsc;
use usher_api::SecretStoreView;
use usher_engine::Engine;

use crate::secret_store;

/// The wait after a change. A starting keychain service sends several signals before its collections are open.
const SETTLING_TIME: Duration = Duration::from_millis(300);

/// If the keychain is the secret store and cannot be used, retries it at each change. Never asks for a password.
pub fn watch(app: &AppHandle, engine: &Engine) {
    let (changed, mut changes) = mpsc::unbounded_channel();
    let watching = tauri::async_runtime::spawn(usher_secrets::watch_keychain(changed));
    let (app, engine) = (app.clone(), engine.clone());
    tauri::async_runtime::spawn(async move {
        while changes.recv().await.is_some() {
            tokio::time::sleep(SETTLING_TIME).await;
            while changes.try_recv().is_ok() {}
            if !matches!(engine.snapshot().secret_store, SecretStoreView::Keychain { error: Some(_) }) {
                continue;
            }
            match secret_store::recheck(&app).await {
                Ok(()) => tracing::info!("the keychain works again"),
                Err(error) => {
                    tracing::info!(code = ?error.code, "the keychain changed but still cannot be used");
                }
            }
        }
        watching.abort();
    });
}
