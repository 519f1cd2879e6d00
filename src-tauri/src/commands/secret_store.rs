//! Where secrets are kept: the keychain, unless the person says otherwise.

use serde::Deserialize;
use specta::Type;
use tauri::State;
use usher_api::ErrorView;
use usher_secrets::StoreKind;

use crate::demo::DemoSlot;
use crate::shell::Shell;

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

/// Tries the store again, and what waited for it.
#[tauri::command]
#[specta::specta]
pub async fn secret_store_retry(shell: State<'_, Shell>) -> Result<(), ErrorView> {
    retry(&shell).await
}

/// The same, by whatever click. The system asks for the password of a keychain that is locked.
pub async fn retry(shell: &Shell) -> Result<(), ErrorView> {
    let engine = shell.engine.get().await?;
    engine.retry_secret_store().await?;
    resume_demo(shell).await
}

/// The same, but nobody is asked anything.
pub async fn recheck(shell: &Shell) -> Result<(), ErrorView> {
    let engine = shell.engine.get().await?;
    engine.recheck_secret_store().await?;
    resume_demo(shell).await
}

/// Keeps secrets elsewhere from now on. What the other store holds stays there.
#[tauri::command]
#[specta::specta]
pub async fn secret_store_choose(shell: State<'_, Shell>, kind: SecretStoreChoice) -> Result<(), ErrorView> {
    let kind = match kind {
        SecretStoreChoice::Keychain => StoreKind::Keychain,
        SecretStoreChoice::File => shell.settings.secrets_file(),
        SecretStoreChoice::Memory => StoreKind::Memory,
    };
    let engine = shell.engine.get().await?;
    engine.choose_secret_store(kind.clone()).await?;
    shell.set_store(kind);
    resume_demo(&shell).await
}

/// Without its key the demo did not start.
async fn resume_demo(shell: &Shell) -> Result<(), ErrorView> {
    if !shell.demo.resume(shell.store()).await {
        return Ok(());
    }
    let engine = shell.engine.get().await?;
    match engine.server(&DemoSlot::id()) {
        Some(_) => engine.connect(&DemoSlot::id()).await,
        None => Ok(()),
    }
}
