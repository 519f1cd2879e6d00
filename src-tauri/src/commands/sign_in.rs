//! Commands for a sign-in. The engine prepares the authorization request, and the app opens the browser.

use secrecy::SecretString;
use serde::Deserialize;
use specta::Type;
use tauri::State;
use usher_api::{ErrorView, ServerId};
use usher_engine::{PreRegisteredClient, SignInOptions};

use crate::engine_slot::EngineSlot;
use crate::qr_code::{self, QrCodeView};
use crate::{error, sign_in};

/// A client that the person registered with the service by hand.
#[derive(Clone, PartialEq, Deserialize, Type)]
pub struct Client {
    pub client_id: String,
    pub client_secret: Option<String>,
}

/// Starts a sign-in and opens the browser.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in(
    engine: State<'_, EngineSlot>,
    id: ServerId,
    client: Option<Client>,
) -> Result<(), ErrorView> {
    let engine = engine.get().await?;
    let client = client.map(PreRegisteredClient::from);
    sign_in::start(&engine, &id, SignInOptions { client, ..SignInOptions::default() }).await.map(drop)
}

/// Starts a sign-in with a code that the person enters on another device.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_on_device(engine: State<'_, EngineSlot>, id: ServerId) -> Result<(), ErrorView> {
    let options = SignInOptions { on_device: true, ..SignInOptions::default() };
    sign_in::start(&engine.get().await?, &id, options).await.map(drop)
}

/// Starts a sign-in with the hosts that the person confirmed, and opens the browser.
#[tauri::command]
#[specta::specta]
pub async fn server_confirm_endpoints(
    engine: State<'_, EngineSlot>,
    id: ServerId,
    hosts: Vec<String>,
) -> Result<(), ErrorView> {
    let options = SignInOptions { confirmed_hosts: hosts, ..SignInOptions::default() };
    sign_in::start(&engine.get().await?, &id, options).await.map(drop)
}

/// Opens the page of the waiting sign-in again.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_again(engine: State<'_, EngineSlot>, id: ServerId) -> Result<(), ErrorView> {
    sign_in::open_again(&engine.get().await?, &id).await
}

/// Returns the page of a sign-in on another device as a QR code.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_qr_code(
    engine: State<'_, EngineSlot>,
    id: ServerId,
) -> Result<QrCodeView, ErrorView> {
    let device = sign_in::waiting_device(&engine.get().await?, &id)
        .ok_or_else(|| error::rejected("This sign-in is no longer waiting for another device."))?;
    qr_code::view(sign_in::device_address(&device))
}

/// Returns the address of the waiting sign-in's page, for copying.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_address(
    engine: State<'_, EngineSlot>,
    id: ServerId,
) -> Result<String, ErrorView> {
    let engine = engine.get().await?;
    sign_in::waiting_request(&engine, &id).map(|request| request.authorization_url)
}

/// Registers again with the next redirect, or repeats the request without `prompt`, and opens the browser.
#[tauri::command]
#[specta::specta]
pub async fn server_next_redirect(engine: State<'_, EngineSlot>, id: ServerId) -> Result<(), ErrorView> {
    sign_in::next_redirect(&engine.get().await?, &id).await
}

/// Completes a sign-in with the callback that the person copied from the browser. Waits until the server is connected.
#[tauri::command]
#[specta::specta]
pub async fn sign_in_complete(engine: State<'_, EngineSlot>, address: String) -> Result<ServerId, ErrorView> {
    engine.get().await?.complete_sign_in(&address).await
}

impl From<Client> for PreRegisteredClient {
    fn from(client: Client) -> Self {
        Self { client_id: client.client_id, client_secret: client.client_secret.map(SecretString::from) }
    }
}
