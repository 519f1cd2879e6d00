//! Commands for the list of servers, and for the catalogue of known services.

use secrecy::SecretString;
use serde::Deserialize;
use specta::Type;
use tauri::State;
use usher_api::{ErrorView, ServerId, Snapshot};
use usher_config::CatalogueEntry;

use crate::engine_slot::EngineSlot;

/// A server to add by its address.
#[derive(Clone, PartialEq, Deserialize, Type)]
pub struct NewServer {
    /// The name in `mcp.json`. `None` derives it from the address.
    pub name: Option<String>,
    pub url: String,
    pub client_id: Option<String>,
    /// The client secret. It is stored in the secret store, and `mcp.json` gets a placeholder for it.
    pub client_secret: Option<String>,
    pub scopes: Option<Vec<String>>,
}

/// Returns the engine's whole state. Waits until the engine is running.
#[tauri::command]
#[specta::specta]
pub async fn snapshot(engine: State<'_, EngineSlot>) -> Result<Snapshot, ErrorView> {
    Ok(engine.get().await?.snapshot())
}

/// Returns the known services, in the order of the gallery.
#[tauri::command]
#[specta::specta]
pub fn catalogue_list() -> Result<&'static [CatalogueEntry], ErrorView> {
    Ok(usher_config::catalogue())
}

#[tauri::command]
#[specta::specta]
pub async fn server_add(engine: State<'_, EngineSlot>, server: NewServer) -> Result<ServerId, ErrorView> {
    let NewServer { name, url, client_id, client_secret, scopes } = server;
    let server = usher_api::NewServer { name, url, client_id, scopes, ..usher_api::NewServer::default() };
    engine.get().await?.add(server, client_secret.map(SecretString::from)).await
}
