//! Token revocation (RFC 7009): either token of a family ends the family.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::client_authentication::authenticate;
use super::error::OAuthError;
use super::grant::{AccessToken, RefreshToken, client_mark};
use super::parameters::Parameters;
use crate::service::Service;

/// `POST /revoke`
pub(crate) async fn revoke(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, OAuthError> {
    let form = Parameters::parse(&body);
    if form.repeated().is_some() {
        return Err(OAuthError::invalid_request("a parameter came more than once"));
    }
    let client = authenticate(&service, &headers, &form)?;
    let token = form.get("token").ok_or_else(|| OAuthError::invalid_request("token is missing"))?;

    // The hint is not needed: a token says itself what it is. One that is not ours is as good as revoked (§2.2).
    let owner_and_family = match service.signer.open::<RefreshToken>(token) {
        Some(token) => Some((token.client, token.family)),
        None => service.signer.open::<AccessToken>(token).map(|token| (token.client, token.family)),
    };
    if let Some((owner, family)) = owner_and_family {
        if owner != client_mark(&client.id) {
            return Err(OAuthError::new("unauthorized_client", "the token was given to another client"));
        }
        service.families.revoke(&family, service.clock.now());
    }
    Ok(StatusCode::OK)
}
