//! Signing in and out. The engine prepares the page's address, the browser is opened here.

use secrecy::SecretString;
use serde::Deserialize;
use specta::Type;
use tauri::State;
use usher_api::{AuthorizationRequestView, ErrorView, RedirectKind, ServerId};
use usher_engine::{Engine, PreRegisteredClient, SignInOptions};

use crate::shell::Shell;
use crate::{browser, error};

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
    shell: State<'_, Shell>,
    id: ServerId,
    redirect: Option<RedirectKind>,
    client: Option<Client>,
) -> Result<(), ErrorView> {
    let engine = shell.engine.get().await?;
    let client = client.map(PreRegisteredClient::from);
    begin(&engine, &id, SignInOptions { redirect, client, ..SignInOptions::default() }).await
}

/// Opens the same page again.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_again(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    open_again(&shell.engine.get().await?, &id).await
}

/// The page's address, for copying.
#[tauri::command]
#[specta::specta]
pub async fn server_sign_in_address(shell: State<'_, Shell>, id: ServerId) -> Result<String, ErrorView> {
    let engine = shell.engine.get().await?;
    waiting(&engine, &id).map(|request| request.authorization_url)
}

/// Tries the next way back from the browser, and opens the browser again.
#[tauri::command]
#[specta::specta]
pub async fn server_next_redirect(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    let engine = shell.engine.get().await?;
    let request = engine.next_redirect(&id).await?;
    open(&engine, &id, &request).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_cancel_sign_in(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.cancel_sign_in(&id).await;
    Ok(())
}

/// Takes an address that the person copied from the browser. Answers when the server is connected, or why not.
#[tauri::command]
#[specta::specta]
pub async fn sign_in_complete(shell: State<'_, Shell>, address: String) -> Result<ServerId, ErrorView> {
    shell.engine.get().await?.complete_sign_in(&address).await
}

#[tauri::command]
#[specta::specta]
pub async fn server_sign_out(shell: State<'_, Shell>, id: ServerId) -> Result<(), ErrorView> {
    shell.engine.get().await?.sign_out(&id).await
}

/// A sign-in up to the opened browser.
pub async fn begin(engine: &Engine, id: &ServerId, options: SignInOptions) -> Result<(), ErrorView> {
    let request = engine.sign_in(id, options).await?;
    open(engine, id, &request).await
}

/// The page of the sign-in that waits, once more.
pub async fn open_again(engine: &Engine, id: &ServerId) -> Result<(), ErrorView> {
    open(engine, id, &waiting(engine, id)?).await
}

async fn open(engine: &Engine, id: &ServerId, request: &AuthorizationRequestView) -> Result<(), ErrorView> {
    browser::open(&request.authorization_url).await?;
    engine.browser_opened(id);
    Ok(())
}

fn waiting(engine: &Engine, id: &ServerId) -> Result<AuthorizationRequestView, ErrorView> {
    engine
        .authorization_request(id)
        .ok_or_else(|| error::refused("This sign-in does not wait for the browser any more."))
}

impl From<Client> for PreRegisteredClient {
    fn from(client: Client) -> Self {
        Self { client_id: client.client_id, client_secret: client.client_secret.map(SecretString::from) }
    }
}
