//! Commands for the values of named secrets.
//!
//! They are not requests to the engine, because a value never crosses the engine's socket. No command returns a value.

use secrecy::SecretString;
use tauri::State;
use usher_api::ErrorView;

use crate::engine_slot::EngineSlot;

/// Stores a new secret. Fails if there is one with this name.
#[tauri::command]
#[specta::specta]
pub async fn secret_add(engine: State<'_, EngineSlot>, name: String, value: String) -> Result<(), ErrorView> {
    engine.get().await?.add_secret(&name, SecretString::from(value)).await
}

/// Replaces the value of a secret, or stores a missing one. The services that use it get the new value.
#[tauri::command]
#[specta::specta]
pub async fn secret_set(engine: State<'_, EngineSlot>, name: String, value: String) -> Result<(), ErrorView> {
    engine.get().await?.set_secret(&name, SecretString::from(value)).await
}
