//! The first part of a sign-in, until the browser opens. The engine prepares the authorization request.

use usher_api::{AuthorizationRequestView, DeviceSignInView, ErrorView, ServerId, SignInRequest, Status};
use usher_engine::{Engine, SignInOptions};

use crate::{browser, error};

/// Starts a sign-in. Opens the browser, unless the person enters a code on another device. Returns whether the window
/// has to show that code.
pub async fn start(engine: &Engine, id: &ServerId, options: SignInOptions) -> Result<bool, ErrorView> {
    match engine.start_sign_in(id, options).await? {
        SignInRequest::Browser(request) => open(engine, id, &request).await.map(|()| false),
        SignInRequest::Device(_) => Ok(true),
        SignInRequest::Unattended => Ok(false),
    }
}

/// Opens the page of the waiting sign-in again, or the page for the code.
pub async fn open_again(engine: &Engine, id: &ServerId) -> Result<(), ErrorView> {
    if let Some(device) = waiting_device(engine, id) {
        browser::open(device_address(&device)).await?;
        engine.browser_opened(id);
        return Ok(());
    }
    open(engine, id, &waiting_request(engine, id)?).await
}

/// Returns the code and the page of a sign-in on another device.
pub fn waiting_device(engine: &Engine, id: &ServerId) -> Option<DeviceSignInView> {
    match engine.server(id)?.status {
        Status::SigningIn { device, .. } => device,
        Status::Disabled
        | Status::Paused
        | Status::Connecting
        | Status::NeedsSignIn { .. }
        | Status::Connected { .. }
        | Status::Reconnecting { .. }
        | Status::Failed { .. } => None,
    }
}

/// Returns the page to open: with the code already entered, if the server offers that.
pub fn device_address(device: &DeviceSignInView) -> &str {
    device.verification_uri_complete.as_deref().unwrap_or(&device.verification_uri)
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
