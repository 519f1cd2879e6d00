//! The token endpoint: exchanges codes and refresh tokens for tokens.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use jiff::Timestamp;
use serde_json::Value;

use super::client_authentication::{AuthenticatedClient, authenticate};
use super::codes::CodeState;
use super::error::{OAuthError, no_store};
use super::families::RotationError;
use super::grant::{Grant, RefreshToken, client_hash};
use super::parameters::Parameters;
use super::scopes::Scopes;
use super::signing::sha256_base64url;
use crate::options::TokenFault;
use crate::request_log::GrantType;
use crate::service::Service;

/// `POST /token`
pub(crate) async fn token(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Parameters::parse(&body);
    let mut response = match service.token_faults.take() {
        Some(fault) => faulty_response(fault, || respond(&service, &headers, &form)),
        None => respond(&service, &headers, &form),
    };
    if let Some(grant_type) = form.get("grant_type") {
        response.extensions_mut().insert(GrantType(grant_type.chars().take(64).collect()));
    }
    response
}

fn respond(service: &Service, headers: &HeaderMap, form: &Parameters) -> Response {
    match issue(service, headers, form, service.clock.now()) {
        Ok(tokens) => (no_store(), Json(tokens)).into_response(),
        Err(error) => error.into_response(),
    }
}

fn issue(
    service: &Service,
    headers: &HeaderMap,
    form: &Parameters,
    now: Timestamp,
) -> Result<Value, OAuthError> {
    let is_form = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"application/x-www-form-urlencoded"));
    if !is_form {
        return Err(OAuthError::invalid_request("the body must be application/x-www-form-urlencoded"));
    }
    if form.repeated().is_some() {
        return Err(OAuthError::invalid_request("a parameter is repeated"));
    }
    let client = authenticate(service, headers, form)?;
    if form.get("resource").is_some_and(|resource| resource != service.resource()) {
        return Err(OAuthError::new("invalid_target", format!("resource must be {}", service.resource())));
    }
    match form.get("grant_type") {
        Some("authorization_code") => redeem_code(service, &client, form, now),
        Some("refresh_token") => refresh(service, &client, form, now),
        Some(_) => Err(OAuthError::new("unsupported_grant_type", "this grant_type is not supported")),
        None => Err(OAuthError::invalid_request("grant_type is missing")),
    }
}

fn redeem_code(
    service: &Service,
    client: &AuthenticatedClient,
    form: &Parameters,
    now: Timestamp,
) -> Result<Value, OAuthError> {
    let code = form.get("code").ok_or_else(|| OAuthError::invalid_request("code is missing"))?;
    let verifier =
        form.get("code_verifier").ok_or_else(|| OAuthError::invalid_request("code_verifier is missing"))?;
    let replayed = |family: &str| {
        service.families.revoke(family, now);
        OAuthError::invalid_grant("the code was used before; what it gave is revoked")
    };
    let issued = match service.codes.look_up(code, now) {
        CodeState::Valid(issued) => issued,
        CodeState::Replayed { family } => return Err(replayed(&family)),
        CodeState::Expired => return Err(OAuthError::invalid_grant("the code has expired")),
        CodeState::Unknown => return Err(OAuthError::invalid_grant("the code is not known")),
    };
    let request = &issued.request;
    if request.client_id != client.id {
        return Err(OAuthError::invalid_grant("the code was issued to another client"));
    }
    if form.get("redirect_uri") != Some(&request.redirect_uri) {
        return Err(OAuthError::invalid_grant("redirect_uri differs from the authorization request"));
    }
    if sha256_base64url(verifier) != request.code_challenge {
        return Err(OAuthError::invalid_grant("code_verifier does not match the challenge"));
    }
    if !service.codes.redeem(code) {
        return Err(replayed(&issued.family));
    }
    let grant = Grant {
        client_id: &client.id,
        client: &client.client,
        family: &issued.family,
        granted: &request.scopes,
        scopes: &request.scopes,
        rotation: 0,
        nonce: request.nonce.as_deref(),
    };
    Ok(grant.issue(service, now))
}

fn refresh(
    service: &Service,
    client: &AuthenticatedClient,
    form: &Parameters,
    now: Timestamp,
) -> Result<Value, OAuthError> {
    let presented =
        form.get("refresh_token").ok_or_else(|| OAuthError::invalid_request("refresh_token is missing"))?;
    let token: RefreshToken =
        service.signer.open(presented).ok_or_else(|| OAuthError::invalid_grant("unknown refresh token"))?;
    if token.issuer != service.issuer() || token.audience != service.resource() {
        return Err(OAuthError::invalid_grant("the refresh token is for another resource"));
    }
    if token.client != client_hash(&client.id) {
        return Err(OAuthError::invalid_grant("the refresh token was issued to another client"));
    }
    if token.epoch < service.epochs.refresh() {
        return Err(OAuthError::invalid_grant("the refresh token has been revoked"));
    }
    if token.expires_at <= now {
        return Err(OAuthError::invalid_grant("the refresh token has expired"));
    }
    let granted = Scopes::parse(&token.scope)
        .ok_or_else(|| OAuthError::invalid_grant("the refresh token has an unknown scope"))?;
    let scopes = match form.get("scope") {
        Some(scope) => Scopes::parse(scope)
            .filter(|scopes| scopes.is_subset_of(&granted))
            .ok_or_else(|| OAuthError::new("invalid_scope", "a refresh cannot add scopes"))?,
        None => granted.clone(),
    };
    let rotation = service
        .families
        .rotate(&token.family, token.rotation, service.options.refresh_grace, now)
        .map_err(|error| match error {
            RotationError::Revoked => OAuthError::invalid_grant("the refresh token has been revoked"),
            RotationError::Reused => {
                OAuthError::invalid_grant("the refresh token was used before; its family is revoked")
            }
        })?;
    let grant = Grant {
        client_id: &client.id,
        client: &client.client,
        family: &token.family,
        granted: &granted,
        scopes: &scopes,
        rotation,
        nonce: None,
    };
    Ok(grant.issue(service, now))
}

fn faulty_response(fault: TokenFault, process: impl FnOnce() -> Response) -> Response {
    let retry_after = |seconds: u32| [(header::RETRY_AFTER, HeaderValue::from(seconds))];
    match fault {
        TokenFault::ServerError => {
            (StatusCode::INTERNAL_SERVER_ERROR, "internal server error").into_response()
        }
        TokenFault::Unavailable { retry_after: Some(seconds) } => {
            (StatusCode::SERVICE_UNAVAILABLE, retry_after(seconds), "down for maintenance").into_response()
        }
        TokenFault::Unavailable { retry_after: None } => {
            (StatusCode::SERVICE_UNAVAILABLE, "down for maintenance").into_response()
        }
        TokenFault::TooManyRequests { retry_after: seconds } => {
            (StatusCode::TOO_MANY_REQUESTS, retry_after(seconds), "slow down").into_response()
        }
        TokenFault::HtmlPage => {
            Html("<!doctype html><title>Welcome</title><h1>Sign in to the network</h1>").into_response()
        }
        TokenFault::UnavailableInvalidGrant => {
            let body = serde_json::json!({ "error": "invalid_grant" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
        TokenFault::InvalidGrant => OAuthError::invalid_grant("injected fault").into_response(),
        TokenFault::InvalidClient => OAuthError::invalid_client("injected fault").into_response(),
        TokenFault::ResponseLost => {
            drop(process());
            (StatusCode::BAD_GATEWAY, "the response was lost").into_response()
        }
    }
}
