//! Conversion of a grant between `usher-oauth`, which refreshes it, and `usher-secrets`, which stores it.

use usher_oauth::{
    AccessToken, AuthMethod, DpopBinding, DpopKey, Endpoint, Grant, GrantBinding, Issuer, RefreshToken,
    Scopes,
};
use usher_secrets::StoredGrant;

const BEARER: &str = "Bearer";
const DPOP: &str = "DPoP";

pub(crate) fn to_stored(grant: &Grant) -> StoredGrant {
    let binding = &grant.binding;
    StoredGrant {
        access_token: grant.access_token.as_secret().clone(),
        refresh_token: grant.refresh_token.as_ref().map(|token| token.as_secret().clone()),
        expires_at: grant.expires_at,
        scopes: grant.scopes.clone().into(),
        account: grant.account.clone(),
        issuer: binding.issuer.as_str().to_owned(),
        token_endpoint: binding.token_endpoint.as_str().to_owned(),
        revocation_endpoint: binding
            .revocation_endpoint
            .as_ref()
            .map(|endpoint| endpoint.as_str().to_owned()),
        client_id: binding.client_id.clone(),
        resource: binding.resource.clone(),
        sends_resource: binding.sends_resource,
        sends_scope: binding.sends_scope,
        has_configured_endpoints: binding.has_configured_endpoints,
        auth_method: binding.auth_method.as_str().to_owned(),
        dpop_key: grant.dpop.as_ref().map(|dpop| dpop.key.as_secret().clone()),
        token_type: (if grant.access_key().is_some() { DPOP } else { BEARER }).to_owned(),
    }
}

/// Converts a stored grant. Its addresses are checked as if they came from the network. Returns `None` if a value is
/// invalid.
pub(crate) fn from_stored(stored: StoredGrant) -> Option<Grant> {
    let revocation_endpoint = match &stored.revocation_endpoint {
        Some(raw) => Some(Endpoint::parse("the revocation endpoint", raw).ok()?),
        None => None,
    };
    let key = match &stored.dpop_key {
        Some(secret) => Some(DpopKey::from_secret(secret)?),
        None => None,
    };
    let binds_access_token = match (stored.token_type.as_str(), &key) {
        (BEARER, _) => false,
        (DPOP, Some(_)) => true,
        (_, _) => return None,
    };
    let binding = GrantBinding {
        issuer: Issuer::parse(&stored.issuer).ok()?,
        token_endpoint: Endpoint::parse("the token endpoint", &stored.token_endpoint).ok()?,
        revocation_endpoint,
        client_id: stored.client_id,
        auth_method: AuthMethod::parse(&stored.auth_method)?,
        resource: stored.resource,
        sends_resource: stored.sends_resource,
        sends_scope: stored.sends_scope,
        has_configured_endpoints: stored.has_configured_endpoints,
        sends_proof: key.is_some(),
    };
    Some(Grant {
        access_token: AccessToken::new(stored.access_token),
        refresh_token: stored.refresh_token.map(RefreshToken::new),
        expires_at: stored.expires_at,
        scopes: Scopes::from(stored.scopes),
        account: stored.account,
        binding,
        dpop: key.map(|key| DpopBinding { key, binds_access_token }),
    })
}

/// Returns whether two grants have the same tokens.
pub(crate) fn same_tokens(one: &Grant, other: &Grant) -> bool {
    let refresh = |grant: &Grant| grant.refresh_token.as_ref().map(|token| token.expose().to_owned());
    one.access_token.expose() == other.access_token.expose() && refresh(one) == refresh(other)
}
