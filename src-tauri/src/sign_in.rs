//! The first part of a sign-in, until the browser opens. The engine prepares the authorization request.

use usher_api::{AuthorizationRequestView, ErrorView, ServerId};
use usher_engine::{Engine, SignInOptions};

use crate::{browser, error};

/// Starts a sign-in and opens the browser.
pub async fn start(engine: &Engine, id: &ServerId, options: SignInOptions) -> Result<(), ErrorView> {
    let request = engine.sign_in(id, options).await?;
    open(engine, id, &request).await
}

/// Opens the page of the waiting sign-in again.
pub async fn open_again(engine: &Engine, id: &ServerId) -> Result<(), ErrorView> {
    open(engine, id, &waiting_request(engine, id)?).await
}

/// Registers again with the next redirect, or repeats the request without `prompt`, and opens the browser.
pub async fn next_redirect(engine: &Engine, id: &ServerId) -> Result<(), ErrorView> {
    let request = engine.next_redirect(id).await?;
    open(engine, id, &request).await
}

/// Returns the authorization request that waits for the browser.
pub fn waiting_request(engine: &Engine, id: &ServerId) -> Result<AuthorizationRequestView, ErrorView> {
    engine
        .authorization_request(id)
        .ok_or_else(|| error::rejected("This sign-in is no longer waiting for the browser."))
}

async fn open(engine: &Engine, id: &ServerId, request: &AuthorizationRequestView) -> Result<(), ErrorView> {
    browser::open(&request.authorization_url).await?;
    engine.browser_opened(id);
    Ok(())
}
