//! Signing in and out.

use serde::Deserialize;
use specta::Type;
use usher_engine::{ErrorView, RedirectKind, ServerId};

/// What the person registered by hand with the service.
#[derive(Clone, PartialEq, Deserialize, Type)]
pub struct Client {
    pub client_id: String,
    pub client_secret: Option<String>,
}

/// Prepares a sign-in and opens the browser. `redirect` overrides the ladder's choice.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in(
    id: ServerId,
    redirect: Option<RedirectKind>,
    client: Option<Client>,
) -> Result<(), ErrorView> {
    let _ = (id, redirect, client);
    Err(super::not_yet())
}

/// Opens the same page again.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_again(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

/// The page's address, for copying.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_address(id: ServerId) -> Result<String, ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

/// Tries the next way back from the browser, and opens the browser again.
#[tauri::command]
#[specta::specta]
pub async fn server_next_redirect(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_cancel_sign_in(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}

/// Takes an address that the person copied from the browser.
#[tauri::command]
#[specta::specta]
pub async fn sign_in_complete(address: String) -> Result<ServerId, ErrorView> {
    let _ = address;
    Err(super::not_yet())
}

#[tauri::command]
#[specta::specta]
pub async fn server_sign_out(id: ServerId) -> Result<(), ErrorView> {
    let _ = id;
    Err(super::not_yet())
}
