//! The authorization endpoint: validates a request, then shows the consent page.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::authorization_request::AuthorizationRequest;
use super::error::{OAuthError, no_store};
use super::page;
use super::parameters::Parameters;
use super::redirect::{self, RedirectKind};
use super::scopes::{Scope, Scopes};
use crate::options::RedirectPolicy;
use crate::service::Service;

const MAX_QUERY: usize = 16 * 1024;

/// An invalid authorization request.
enum RequestError {
    /// The client or the redirect URI is invalid, so there is no redirect (RFC 6749 §4.1.2.1).
    Page { title: &'static str, description: &'static str },
    /// The client gets the error through the redirect.
    Redirect { to: String },
}

/// `GET /authorize`
pub(crate) async fn authorize(State(service): State<Arc<Service>>, RawQuery(query): RawQuery) -> Response {
    match check(&service, &query.unwrap_or_default()) {
        Ok(request) => super::consent::ask(&service, request),
        Err(RequestError::Page { title, description }) => page::error(title, description),
        Err(RequestError::Redirect { to }) => (no_store(), Redirect::to(&to)).into_response(),
    }
}

fn check(service: &Service, query: &str) -> Result<AuthorizationRequest, RequestError> {
    let page_error = |title, description| RequestError::Page { title, description };
    if query.len() > MAX_QUERY {
        return Err(page_error(
            "This request is too long",
            "Go back to the app and start the sign-in again.",
        ));
    }
    let parameters = Parameters::parse(query.as_bytes());
    let single = |name: &str| parameters.get(name).filter(|_| !parameters.repeats(name));

    let unknown_app = || {
        page_error(
            "Unknown app",
            "The app is not registered, or its registration has expired. Go back to the app and start the sign-in again.",
        )
    };
    let client_id = single("client_id").ok_or_else(unknown_app)?;
    let client = service.client(client_id).ok_or_else(unknown_app)?;

    let redirect_uri = single("redirect_uri").filter(|uri| client.accepts_redirect(uri)).ok_or_else(|| {
        page_error(
            "The return address is not registered",
            "For your safety, your browser was not sent there. Go back to the app and start the sign-in again.",
        )
    })?;
    let is_private_use = matches!(redirect::kind(redirect_uri), Ok(RedirectKind::PrivateUse { .. }));
    if is_private_use && service.options.redirects == RedirectPolicy::PrivateUseRejectedAtAuthorize {
        return Err(page_error(
            "Invalid redirect_uri",
            "This service does not open apps through links. Choose another return method in the app.",
        ));
    }

    let mut request = AuthorizationRequest {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state: single("state").map(str::to_owned),
        code_challenge: String::new(),
        scopes: Scopes::default(),
        nonce: parameters.get("nonce").map(str::to_owned),
        client,
    };
    match fill(service, &parameters, &mut request) {
        Ok(()) => Ok(request),
        Err(OAuthError { code, description, .. }) => {
            let error = [("error", code), ("error_description", description.as_str())];
            Err(RequestError::Redirect { to: request.response_uri(&error, &service.issuer) })
        }
    }
}

/// Checks all parameters except the client and the redirect URI, and fills in the rest of the request.
fn fill(
    service: &Service,
    parameters: &Parameters,
    request: &mut AuthorizationRequest,
) -> Result<(), OAuthError> {
    if let Some(name) = parameters.repeated().filter(|name| *name != "resource") {
        let name: String = name.chars().filter(char::is_ascii_graphic).take(40).collect();
        return Err(OAuthError::invalid_request(format!("{name} is repeated")));
    }
    if parameters.require("response_type")? != "code" {
        return Err(OAuthError::new("unsupported_response_type", "response_type must be code"));
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::invalid_request("response_mode must be query"));
    }
    let challenge = parameters.require("code_challenge")?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::invalid_request("code_challenge_method must be S256"));
    }
    // The base64url form of a SHA-256 has 43 characters (RFC 7636 §4.2).
    if challenge.len() != 43
        || !challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return Err(OAuthError::invalid_request("code_challenge is not an S256 challenge"));
    }
    challenge.clone_into(&mut request.code_challenge);
    if parameters.repeats("resource") || parameters.get("resource") != Some(&service.resource) {
        return Err(OAuthError::invalid_target(&service.resource));
    }
    request.scopes = match parameters.get("scope") {
        Some(scope) => {
            Scopes::parse(scope).ok_or_else(|| OAuthError::new("invalid_scope", "unknown scope"))?
        }
        None => Scopes::from_iter([Scope::NotesRead]),
    };
    Ok(())
}
