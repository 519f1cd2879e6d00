//! Token revocation (RFC 7009). Revoking any token revokes its family.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};

use super::client_authentication::authenticate;
use super::error::OAuthError;
use super::grant::{Token, TokenKind, client_hash};
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
    let text = form.require("token")?;

    // The token contains its kind, so `token_type_hint` is not needed. An unknown token counts as revoked (§2.2).
    let kinds = [TokenKind::Refresh, TokenKind::Access];
    if let Some(token) = kinds.into_iter().find_map(|kind| Token::open(&service, kind, text)) {
        if token.client != client_hash(&client.id) {
            return Err(OAuthError::new("unauthorized_client", "the token was issued to another client"));
        }
        service.families.revoke(&token.family, service.clock.now());
    }
    Ok(StatusCode::OK)
}
