//! The device authorization grant (RFC 8628): issues codes, and lets the person enter and approve one.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::client_authentication::{AuthenticatedClient, authenticate};
use super::device_codes::{Decision, DeviceCode};
use super::device_page;
use super::error::{OAuthError, no_store};
use super::grant::Grant;
use super::page;
use super::parameters::Parameters;
use super::scopes::{Scope, Scopes};
use super::signing::random_id;
use crate::clock::saturating_add;
use crate::memory;
use crate::service::Service;

pub(crate) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

const CAPACITY: usize = 500;
/// Letters that are hard to confuse, and that form no words (RFC 8628 §6.1).
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// The letters in each half of a code.
const HALF: usize = 4;

/// `POST /device_authorization`
pub(crate) async fn authorize(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OAuthError> {
    let form = Parameters::parse(&body);
    if form.repeated().is_some() {
        return Err(OAuthError::invalid_request("a parameter is repeated"));
    }
    let AuthenticatedClient { id, client, key: _ } = authenticate(&service, &headers, &form)?;
    if !client.may_use_device {
        return Err(OAuthError::new("unauthorized_client", "the client did not register for this grant"));
    }
    if form.get("resource") != Some(&service.resource) {
        return Err(OAuthError::invalid_target(&service.resource));
    }
    let scopes = match form.get("scope") {
        Some(scope) => {
            Scopes::parse(scope).ok_or_else(|| OAuthError::new("invalid_scope", "unknown scope"))?
        }
        None => Scopes::from_iter([Scope::NotesRead]),
    };
    let (now, options) = (service.clock.now(), &service.options);
    let request = DeviceCode {
        device_code: random_id(),
        user_code: user_code(),
        ticket: random_id(),
        client_id: id,
        client_name: client.name,
        scopes,
        decision: Decision::Pending,
        redeemed: false,
        next_poll: saturating_add(now, options.device_interval),
        expires_at: saturating_add(now, options.device_code_lifetime),
    };
    let page = format!("{}/device", service.issuer);
    let response = json!({
        "device_code": request.device_code,
        "user_code": request.user_code,
        "verification_uri": page,
        "verification_uri_complete": format!("{page}?user_code={}", request.user_code),
        "expires_in": options.device_code_lifetime.as_secs(),
        "interval": options.device_interval.as_secs(),
    });
    memory::push(&mut memory::lock(&service.device_codes.0), request, CAPACITY);
    Ok((no_store(), Json(response)).into_response())
}

/// `GET /device`: asks for the code. The query can contain it.
pub(crate) async fn page(RawQuery(query): RawQuery) -> Response {
    let query = Parameters::parse(query.unwrap_or_default().as_bytes());
    device_page::ask_for_code(query.get("user_code").unwrap_or_default(), false)
}

/// `POST /device`: the form with the code, or the form with the decision and its `ticket`.
pub(crate) async fn submit(State(service): State<Arc<Service>>, headers: HeaderMap, body: Bytes) -> Response {
    if headers.get("sec-fetch-site").is_some_and(|site| site != "same-origin") {
        let page = page::error(
            "The request came from another website",
            "Nothing was allowed. You can close this tab.",
        );
        return (StatusCode::FORBIDDEN, page).into_response();
    }
    let (form, now) = (Parameters::parse(&body), service.clock.now());
    let mut codes = memory::lock(&service.device_codes.0);
    let mut open =
        codes.iter_mut().filter(|code| code.expires_at > now && code.decision == Decision::Pending);
    let Some(ticket) = form.get("ticket") else {
        let entered = normalised(form.get("user_code").unwrap_or_default());
        return match open.find(|code| normalised(&code.user_code) == entered) {
            Some(code) => {
                device_page::ask_for_consent(&code.client_name, &code.user_code, &code.scopes, &code.ticket)
            }
            None => device_page::ask_for_code(form.get("user_code").unwrap_or_default(), true),
        };
    };
    let Some(code) = open.find(|code| code.ticket == ticket) else {
        return page::error("This page has expired", "Go back to the app and start the sign-in again.");
    };
    code.decision = match form.get("decision") {
        Some("allow") => Decision::Allowed,
        Some("deny") => Decision::Denied,
        Some(_) | None => return page::error("No decision", "Go back and press one of the buttons."),
    };
    device_page::done(code.decision == Decision::Allowed, &code.client_name)
}

/// Exchanges a device code for tokens, if the person has approved the request (RFC 8628 §3.5).
pub(crate) fn redeem(
    service: &Service,
    client: &AuthenticatedClient,
    device_code: &str,
    now: Timestamp,
) -> Result<Value, OAuthError> {
    let error = |code: &'static str, why: &str| Err(OAuthError::new(code, why));
    let mut codes = memory::lock(&service.device_codes.0);
    let known = codes.iter_mut().find(|code| code.device_code == device_code);
    let Some(code) = known.filter(|code| code.client_id == client.id && !code.redeemed) else {
        return error("invalid_grant", "unknown device code");
    };
    if code.expires_at <= now {
        return error("expired_token", "the device code has expired");
    }
    let is_early = now < code.next_poll;
    code.next_poll = saturating_add(now, service.options.device_interval);
    match code.decision {
        Decision::Pending if is_early => error("slow_down", "the client polls too often"),
        Decision::Pending => error("authorization_pending", "the person has not decided yet"),
        Decision::Denied => error("access_denied", "the person denied the request"),
        Decision::Allowed => {
            code.redeemed = true;
            let (scopes, family) = (code.scopes.clone(), random_id());
            let grant = Grant {
                client,
                family: &family,
                granted: &scopes,
                scopes: &scopes,
                rotation: 0,
                nonce: None,
            };
            Ok(grant.issue(service, now))
        }
    }
}

fn user_code() -> String {
    let letter = || char::from(LETTERS[rand::random_range(0..LETTERS.len())]);
    let half = || (0..HALF).map(|_| letter()).collect::<String>();
    format!("{}-{}", half(), half())
}

/// Returns the code as it is compared: in upper case, without anything but letters.
fn normalised(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphabetic).map(|letter| letter.to_ascii_uppercase()).collect()
}
