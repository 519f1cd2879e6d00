//! Token revocation (RFC 7009). Revoking any token revokes its family.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::client_authentication::authenticate;
use super::error::OAuthError;
use super::grant::{AccessToken, RefreshToken, client_hash};
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
        return Err(OAuthError::invalid_request("a parameter is repeated"));
    }
    let client = authenticate(&service, &headers, &form)?;
    let token = form.get("token").ok_or_else(|| OAuthError::invalid_request("token is missing"))?;

    // The token contains its type, so the hint is not needed. An unknown token counts as revoked (§2.2).
    let owner_and_family = match service.signer.open::<RefreshToken>(token) {
        Some(token) => Some((token.client, token.family)),
        None => service.signer.open::<AccessToken>(token).map(|token| (token.client, token.family)),
    };
    if let Some((owner, family)) = owner_and_family {
        if owner != client_hash(&client.id) {
            return Err(OAuthError::new("unauthorized_client", "the token was issued to another client"));
        }
        service.families.revoke(&family, service.clock.now());
    }
    Ok(StatusCode::OK)
}
