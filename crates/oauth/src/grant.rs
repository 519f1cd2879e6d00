//! The tokens of one sign-in.

use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::site::is_same_site;
use crate::{AuthMethod, DpopKey, Endpoint, Issuer, Scopes};

/// An access token. It has no `Display` and no `Serialize`, and `Debug` redacts it.
#[derive(Clone)]
pub struct AccessToken(SecretString);

/// A refresh token. It has no `Display` and no `Serialize`, and `Debug` redacts it.
#[derive(Clone)]
pub struct RefreshToken(SecretString);

macro_rules! secret {
    ($name:ident) => {
        impl $name {
            pub fn new(secret: impl Into<SecretString>) -> Self {
                $name(secret.into())
            }

            /// Returns the token as text. Only requests and the secret store may contain it.
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }

            pub fn as_secret(&self) -> &SecretString {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }
    };
}

secret!(AccessToken);
secret!(RefreshToken);

/// The tokens of one sign-in, with their scopes and expiry.
#[derive(Clone, Debug)]
pub struct Grant {
    pub access_token: AccessToken,
    pub refresh_token: Option<RefreshToken>,
    /// `None` if the server stated no expiry. The token is then used until a 401.
    pub expires_at: Option<Timestamp>,
    /// The granted scopes, or the requested ones if the server did not state them.
    pub scopes: Scopes,
    /// The signed-in account, for display only: `email`, `preferred_username` or `name` of the ID token.
    pub account: Option<String>,
    pub binding: GrantBinding,
    /// `None` if the tokens are bound to no key.
    pub dpop: Option<DpopBinding>,
}

/// The key to which the tokens of a grant are bound (RFC 9449 §5).
#[derive(Clone, Debug)]
pub struct DpopBinding {
    /// The key of every refresh. The refresh token of a public client is bound to it.
    pub key: DpopKey,
    /// Whether the access token is bound too: its type is `DPoP`, not `Bearer`.
    pub binds_access_token: bool,
}

impl Grant {
    /// The key with which each request to the resource server proves its right to use the access token. `None` for a
    /// bearer token.
    pub fn access_key(&self) -> Option<&DpopKey> {
        self.dpop.as_ref().filter(|dpop| dpop.binds_access_token).map(|dpop| &dpop.key)
    }
}

/// The issuer, endpoints, client and resource of a grant. The refresh token is sent only to this token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct GrantBinding {
    pub issuer: Issuer,
    pub token_endpoint: Endpoint,
    pub revocation_endpoint: Option<Endpoint>,
    pub client_id: String,
    pub auth_method: AuthMethod,
    pub resource: String,
    /// False if the server publishes no resource identifier, or the authorization server rejects `resource`.
    pub sends_resource: bool,
    /// True if the authorization server accepts a refresh only with the scopes.
    #[serde(default)]
    pub sends_scope: bool,
    /// Whether the endpoints are those of the settings.
    #[serde(default)]
    pub has_configured_endpoints: bool,
    /// Whether token requests carry a proof (RFC 9449 §5).
    #[serde(default)]
    pub sends_proof: bool,
}

impl GrantBinding {
    /// Whether `resource` may be omitted after the authorization server rejected it. Without `resource`, the server
    /// could get a token for another service. An authorization server of another site may therefore belong to that
    /// other service.
    pub(crate) fn may_omit_resource(&self) -> bool {
        let endpoints = [self.issuer.url(), Some(self.token_endpoint.url().clone())];
        self.sends_resource && are_own_endpoints(&self.resource, endpoints)
    }
}

/// Whether these addresses of an authorization server all belong to the site of the resource. The issuer alone proves
/// nothing, because its metadata can name the endpoints of another service.
pub(crate) fn are_own_endpoints(resource: &str, endpoints: impl IntoIterator<Item = Option<Url>>) -> bool {
    let Ok(resource) = Url::parse(resource) else { return false };
    endpoints.into_iter().all(|endpoint| endpoint.is_some_and(|endpoint| is_same_site(&resource, &endpoint)))
}
