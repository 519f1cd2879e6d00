//! The authorization endpoint: validates a request before it asks the person.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};

use super::authorization_request::AuthorizationRequest;
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
    Page { title: &'static str, description: String },
    /// The client gets the error through the redirect.
    Redirect { to: String },
}

/// `GET /authorize`
pub(crate) async fn authorize(State(service): State<Arc<Service>>, RawQuery(query): RawQuery) -> Response {
    match check(&service, &query.unwrap_or_default()) {
        Ok(request) => super::consent::ask(&service, request),
        Err(RequestError::Page { title, description }) => page::error(title, &description),
        Err(RequestError::Redirect { to }) => (super::error::no_store(), Redirect::to(&to)).into_response(),
    }
}

fn check(service: &Service, query: &str) -> Result<AuthorizationRequest, RequestError> {
    let stop = |title: &'static str, description: &str| RequestError::Page {
        title,
        description: description.to_owned(),
    };
    if query.len() > MAX_QUERY {
        return Err(stop("This request is too long", "Go back to the app and start the sign-in again."));
    }
    let parameters = Parameters::parse(query.as_bytes());
    let once = |name: &str| parameters.get(name).filter(|_| !parameters.repeats(name));

    let unknown_app = || {
        stop(
            "Unknown app",
            "The app is not registered, or its registration has expired. Go back to the app and start the sign-in again.",
        )
    };
    let client_id = once("client_id").ok_or_else(unknown_app)?;
    let client = service.client(client_id).ok_or_else(unknown_app)?;

    let redirect_uri = once("redirect_uri").filter(|uri| client.accepts_redirect(uri)).ok_or_else(|| {
        stop(
            "The return address is not registered",
            "For your safety you are not sent there. Go back to the app and start the sign-in again.",
        )
    })?;
    let is_private_use = matches!(redirect::kind(redirect_uri), Ok(RedirectKind::PrivateUse { .. }));
    if is_private_use && service.options.redirects == RedirectPolicy::PrivateUseRefusedAtAuthorize {
        return Err(stop(
            "Invalid redirect_uri",
            "This service does not open apps through links. Choose another return method in the app.",
        ));
    }

    let mut request = AuthorizationRequest {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state: once("state").map(str::to_owned),
        code_challenge: String::new(),
        scopes: Scopes::default(),
        nonce: parameters.get("nonce").map(str::to_owned),
        client,
    };
    let checked =
        check_parameters(service, &parameters).map_err(|(code, description)| RequestError::Redirect {
            to: request.response(&[("error", code), ("error_description", &description)], service.issuer()),
        })?;
    request.code_challenge = checked.code_challenge;
    request.scopes = checked.scopes;
    Ok(request)
}

struct Checked {
    code_challenge: String,
    scopes: Scopes,
}

/// Checks everything but the client and the redirect URI. Returns the error code and description for the client.
fn check_parameters(service: &Service, parameters: &Parameters) -> Result<Checked, (&'static str, String)> {
    if let Some(name) = parameters.repeated().filter(|name| *name != "resource") {
        let name: String = name.chars().filter(char::is_ascii_graphic).take(40).collect();
        return Err(("invalid_request", format!("{name} is repeated")));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "response_type must be code".into())),
        None => return Err(("invalid_request", "response_type is missing".into())),
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(("invalid_request", "response_mode must be query".into()));
    }
    let challenge = parameters
        .get("code_challenge")
        .ok_or_else(|| ("invalid_request", "PKCE is required: code_challenge is missing".to_owned()))?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "code_challenge_method must be S256".into()));
    }
    // The base64url form of a SHA-256 has 43 characters (RFC 7636 §4.2).
    if challenge.len() != 43
        || !challenge.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    {
        return Err(("invalid_request", "code_challenge is not an S256 challenge".into()));
    }
    if parameters.repeats("resource") || parameters.get("resource") != Some(service.resource()) {
        return Err(("invalid_target", format!("resource must be {}", service.resource())));
    }
    let scopes = match parameters.get("scope") {
        Some(scope) => Scopes::parse(scope)
            .filter(|scopes| scopes.iter().all(|scope| service.supports(scope)))
            .ok_or_else(|| ("invalid_scope", "unknown scope".to_owned()))?,
        None => Scopes::from_iter([Scope::NotesRead]),
    };
    Ok(Checked { code_challenge: challenge.to_owned(), scopes })
}
