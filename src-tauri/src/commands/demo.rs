//! "Try the demo".

use usher_engine::{ErrorView, ServerId};

/// Starts the demo service inside the app, adds it, and begins its sign-in in the browser.
#[tauri::command]
#[specta::specta]
pub async fn demo_add() -> Result<ServerId, ErrorView> {
    Err(super::not_yet())
}
