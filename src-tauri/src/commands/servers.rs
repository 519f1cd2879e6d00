//! The list of servers.

use serde::{Deserialize, Serialize};
use specta::Type;
use usher_engine::{ErrorView, ServerId, Snapshot};

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

/// One service of the gallery.
#[derive(Clone, Debug, PartialEq, Serialize, Type)]
pub struct CatalogueEntry {
    pub slug: String,
    pub name: String,
    pub url: String,
    pub tier: Tier,
    pub note: Option<String>,
    pub setup: Option<SetUp>,
}

/// How much a first sign-in asks of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    OneClick,
    Guided,
    MayBeRefused,
    Plain,
}

/// What a guided service wants before the first sign-in.
#[derive(Clone, Debug, PartialEq, Serialize, Type)]
pub struct SetUp {
    /// The page on which a client is registered.
    pub where_url: String,
    /// The redirect address to enter there.
    pub redirect: String,
    pub needs_secret: bool,
}

/// Everything a window needs at its start; waits for the engine to be there.
#[tauri::command]
#[specta::specta]
pub async fn snapshot() -> Result<Snapshot, ErrorView> {
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn catalogue_list() -> Result<Vec<CatalogueEntry>, ErrorView> {
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_add(server: NewServer) -> Result<ServerId, ErrorView> {
    let _ = server;
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_remove(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_enable(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_disable(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_connect(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_disconnect(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}
