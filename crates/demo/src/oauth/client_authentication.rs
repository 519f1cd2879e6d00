//! Client authentication at the token and revocation endpoints (RFC 6749 §2.3).

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::client::{AuthMethod, Client};
use super::error::OAuthError;
use super::parameters::Parameters;
use crate::service::Service;

/// A client that authenticated with its registered method.
pub(crate) struct AuthenticatedClient {
    pub(crate) id: String,
    pub(crate) client: Client,
    /// The thumbprint of the key that the request proves, if tokens are bound to a key.
    pub(crate) key: Option<String>,
}

pub(crate) fn authenticate(
    service: &Service,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<AuthenticatedClient, OAuthError> {
    // A client that used this header gets a challenge (RFC 6749 §5.2).
    let challenge = headers.contains_key(header::AUTHORIZATION);
    check(service, headers, form).map_err(|error| OAuthError { challenge, ..error })
}

fn check(
    service: &Service,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<AuthenticatedClient, OAuthError> {
    let (id, secret, used) = match headers.get(header::AUTHORIZATION) {
        Some(value) => {
            let (id, secret) =
                value.to_str().ok().and_then(basic_credentials).ok_or_else(|| {
                    OAuthError::invalid_client("the Authorization header is not HTTP Basic")
                })?;
            if form.get("client_secret").is_some() || form.get("client_id").is_some_and(|other| other != id) {
                return Err(OAuthError::invalid_request(
                    "the client used more than one authentication method",
                ));
            }
            (id, Some(secret), AuthMethod::ClientSecretBasic)
        }
        None => {
            let id =
                form.get("client_id").ok_or_else(|| OAuthError::invalid_client("client_id is missing"))?;
            match form.get("client_secret") {
                Some(secret) => (id.to_owned(), Some(secret.to_owned()), AuthMethod::ClientSecretPost),
                None => (id.to_owned(), None, AuthMethod::None),
            }
        }
    };
    let client =
        service.client(&id).ok_or_else(|| OAuthError::invalid_client("the client is not registered"))?;
    if client.auth_method != used {
        return Err(OAuthError::invalid_client("the client registered another authentication method"));
    }
    if secret.is_some_and(|secret| !service.signer.is_client_secret(&id, &secret)) {
        return Err(OAuthError::invalid_client("the client secret is wrong"));
    }
    Ok(AuthenticatedClient { id, client, key: None })
}

/// Decodes the client id and secret. Form encoding (RFC 6749 §2.3.1) is not decoded, because it does not change the ids
/// and secrets that the demo issues.
fn basic_credentials(header: &str) -> Option<(String, String)> {
    let (scheme, credentials) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
