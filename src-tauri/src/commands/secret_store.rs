//! Where secrets are kept: the keychain, unless the person says otherwise.

use serde::Deserialize;
use specta::Type;
use usher_engine::ErrorView;

/// What a person may choose where there is no keychain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SecretStoreChoice {
    /// The system's keychain again.
    Keychain,
    /// A private file in the state folder; remembered for the next start.
    File,
    /// Until the app ends.
    Memory,
}

#[tauri::command]
#[specta::specta]
pub async fn secret_store_retry() -> Result<(), ErrorView> {
    Err(super::not_yet())
}

/// Starts the engine anew with the chosen store. A `snapshot_taken` event follows.
#[tauri::command]
#[specta::specta]
pub async fn secret_store_choose(kind: SecretStoreChoice) -> Result<(), ErrorView> {
    let _ = kind;
    Err(super::not_yet())
}
