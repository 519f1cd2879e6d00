//! Retries of the secret store, and of everything that waits for it.

use tauri::{AppHandle, Manager};
use usher_api::ErrorView;

use crate::demo::DemoSlot;
use crate::engine_slot::EngineSlot;
use crate::settings::Settings;

/// Tries the store again after a click. The system may ask for the password of a locked keychain.
pub async fn retry(app: &AppHandle) -> Result<(), ErrorView> {
    app.state::<EngineSlot>().get().await?.retry_secret_store().await?;
    resume_demo(app).await
}

/// Tries the store again without asking for a password.
pub async fn recheck(app: &AppHandle) -> Result<(), ErrorView> {
    app.state::<EngineSlot>().get().await?.recheck_secret_store().await?;
    resume_demo(app).await
}

/// Starts the demo, in case it could not start without its key, then connects to it.
pub async fn resume_demo(app: &AppHandle) -> Result<(), ErrorView> {
    if !app.state::<DemoSlot>().resume(app.state::<Settings>().secret_store()).await {
        return Ok(());
    }
    let engine = app.state::<EngineSlot>().get().await?;
    match engine.server(&DemoSlot::id()) {
        Some(_) => engine.connect(&DemoSlot::id()).await,
        None => Ok(()),
    }
}
