//! Commands for the secret store: the keychain, unless the person chooses another one.

use serde::Deserialize;
use specta::Type;
use tauri::{AppHandle, State};
use usher_api::ErrorView;
use usher_secrets::StoreKind;

use crate::engine_slot::EngineSlot;
use crate::secret_store;
use crate::settings::Settings;

/// The person's choice of a secret store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum SecretStoreChoice {
    /// The system's keychain.
    Keychain,
    /// A private file in the state folder. The choice remains after a restart.
    File,
    /// Memory, until the app quits.
    Memory,
}

/// Retries the store, and everything that waits for it.
#[tauri::command]
#[specta::specta]
pub async fn secret_store_retry(app: AppHandle) -> Result<(), ErrorView> {
    secret_store::retry(&app).await
}

/// Changes the secret store. The secrets in the previous store stay there.
#[tauri::command]
#[specta::specta]
pub async fn secret_store_choose(
    app: AppHandle,
    engine: State<'_, EngineSlot>,
    settings: State<'_, Settings>,
    kind: SecretStoreChoice,
) -> Result<(), ErrorView> {
    let kind = match kind {
        SecretStoreChoice::Keychain => StoreKind::Keychain,
        SecretStoreChoice::File => settings.secrets_file(),
        SecretStoreChoice::Memory => StoreKind::Memory,
    };
    engine.get().await?.choose_secret_store(kind.clone()).await?;
    settings.set_secret_store(kind);
    secret_store::resume_demo(&app).await
}
