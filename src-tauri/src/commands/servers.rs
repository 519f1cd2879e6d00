//! The list of servers, and the gallery it is filled from.

use secrecy::SecretString;
use serde::Deserialize;
use specta::Type;
use tauri::State;
use usher_api::{ErrorView, ServerId, Snapshot};
use usher_config::CatalogueEntry;

use crate::shell::Shell;

/// A server to add by its address.
#[derive(Clone, PartialEq, Deserialize, Type)]
pub struct NewServer {
    /// The name in `mcp.json`; made from the address where it is missing.
    pub name: Option<String>,
    pub url: String,
    pub client_id: Option<String>,
    /// Goes to the secret store; `mcp.json` gets a reference to it.
    pub client_secret: Option<String>,
    pub scopes: Option<Vec<String>>,
}

/// Everything a window needs at its start; waits for the engine to be there.
#[tauri::command]
#[specta::specta]
pub async fn snapshot(shell: State<'_, Shell>) -> Result<Snapshot, ErrorView> {
    Ok(shell.engine.get().await?.snapshot())
}

/// The known services, in the gallery's order.
#[tauri::command]
#[specta::specta]
pub fn catalogue_list() -> Result<&'static [CatalogueEntry], ErrorView> {
    Ok(usher_config::catalogue())
}

#[tauri::command]
#[specta::specta]
pub async fn server_add(shell: State<'_, Shell>, server: NewServer) -> Result<ServerId, ErrorView> {
    let NewServer { name, url, client_id, client_secret, scopes } = server;
    let server = usher_api::NewServer { name, url, client_id, scopes, redirect: None };
    shell.engine.get().await?.add(server, client_secret.map(SecretString::from)).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_remove(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.remove(&id).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_enable(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.enable(&id).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_disable(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.disable(&id).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_connect(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.connect(&id).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_disconnect(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.disconnect(&id).await
}

/// Lets go of every connection until `servers_resume` or the next start.
#[tauri::command]
#[specta::specta]
pub async fn servers_pause(shell: State<'_, Shell>) -> Result<(), ErrorView> {
    shell.engine.get().await?.pause_all().await;
    Ok(())
}

#[tauri::command]
#[specta::specta]
pub async fn servers_resume(shell: State<'_, Shell>) -> Result<(), ErrorView> {
    shell.engine.get().await?.resume_all().await;
    Ok(())
}

/// The person does not grant what the server wants permission for; a call that waits for it fails.
#[tauri::command]
#[specta::specta]
pub async fn server_decline_permission(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.decline_permission(&id);
    Ok(())
}
