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
use super::device;
use super::dpop::{self, Checker};
use super::error::{OAuthError, no_store};
use super::grant::{Grant, Token, TokenKind, client_hash};
use super::parameters::Parameters;
use super::scopes::Scopes;
use super::signing::sha256_base64url;
use crate::memory::lock;
use crate::options::TokenFault;
use crate::request_log::GrantType;
use crate::service::Service;

/// `POST /token`
pub(crate) async fn token(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Parameters::parse(&body);
    let fault = lock(&service.token_faults).pop_front();
    let mut response = match fault {
        Some(fault) => faulty_response(fault, || respond(&service, &headers, &form)),
        None => respond(&service, &headers, &form),
    };
    let checker = Checker::AuthorizationServer;
    dpop::add_nonce(&service, checker, response.headers_mut(), service.clock.now());
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
    let key = dpop::key_of_token_request(service, headers, now)?;
    let client = AuthenticatedClient { key, ..client };
    if form.get("resource").is_some_and(|resource| resource != service.resource) {
        return Err(OAuthError::invalid_target(&service.resource));
    }
    match form.require("grant_type")? {
        "authorization_code" => redeem_code(service, &client, form, now),
        "refresh_token" => refresh(service, &client, form, now),
        device::GRANT_TYPE => device::redeem(service, &client, form.require("device_code")?, now),
        _ => Err(OAuthError::new("unsupported_grant_type", "this grant_type is not supported")),
    }
}

fn redeem_code(
    service: &Service,
    client: &AuthenticatedClient,
    form: &Parameters,
    now: Timestamp,
) -> Result<Value, OAuthError> {
    let (code, verifier) = (form.require("code")?, form.require("code_verifier")?);
    // The lock is held until the code is redeemed, so that only one request redeems it.
    let mut codes = lock(&service.codes);
    let issued = codes
        .iter_mut()
        .find(|issued| issued.code == code)
        .ok_or_else(|| OAuthError::invalid_grant("unknown code"))?;
    if issued.redeemed {
        service.families.revoke(&issued.family, now);
        return Err(OAuthError::invalid_grant("the code was used before; its tokens are revoked"));
    }
    if issued.expires_at <= now {
        return Err(OAuthError::invalid_grant("the code has expired"));
    }
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
    issued.redeemed = true;
    let grant = Grant {
        client,
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
    let presented = form.require("refresh_token")?;
    let token =
        Token::check(service, TokenKind::Refresh, presented, now).map_err(OAuthError::invalid_grant)?;
    if token.client != client_hash(&client.id) {
        return Err(OAuthError::invalid_grant("the refresh token was issued to another client"));
    }
    if token.key != client.key {
        return Err(OAuthError::invalid_grant("the refresh token is bound to another key"));
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
        .map_err(|error| OAuthError::invalid_grant(error.to_string()))?;
    let grant =
        Grant { client, family: &token.family, granted: &granted, scopes: &scopes, rotation, nonce: None };
    Ok(grant.issue(service, now))
}

fn faulty_response(fault: TokenFault, process: impl FnOnce() -> Response) -> Response {
    let (status, retry_after, text) = match fault {
        TokenFault::ServerError => (StatusCode::INTERNAL_SERVER_ERROR, None, "internal server error"),
        TokenFault::Unavailable { retry_after } => {
            (StatusCode::SERVICE_UNAVAILABLE, retry_after, "down for maintenance")
        }
        TokenFault::TooManyRequests { retry_after } => {
            (StatusCode::TOO_MANY_REQUESTS, Some(retry_after), "slow down")
        }
        TokenFault::ResponseLost => {
            drop(process());
            (StatusCode::BAD_GATEWAY, None, "the response was lost")
        }
        TokenFault::HtmlPage => {
            let page = "<!doctype html><title>Welcome</title><h1>Sign in to the network</h1>";
            return Html(page).into_response();
        }
        TokenFault::UnavailableInvalidGrant => {
            let body = serde_json::json!({ "error": "invalid_grant" });
            return (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response();
        }
        TokenFault::InvalidGrant => return OAuthError::invalid_grant("injected fault").into_response(),
        TokenFault::InvalidClient => return OAuthError::invalid_client("injected fault").into_response(),
    };
    let retry_after = retry_after.map(|seconds| [(header::RETRY_AFTER, HeaderValue::from(seconds))]);
    (status, retry_after, text).into_response()
}
