//! What a person granted: the tokens, and the one place they may be used.

use std::fmt;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{AuthMethod, Endpoint, Issuer, Scopes};

/// A bearer token. It has no `Display` and no `Serialize`, and `Debug` hides it.
#[derive(Clone)]
pub struct AccessToken(SecretString);

/// A refresh token. It has no `Display` and no `Serialize`, and `Debug` hides it.
#[derive(Clone)]
pub struct RefreshToken(SecretString);

macro_rules! secret {
    ($name:ident) => {
        impl $name {
            pub fn new(secret: impl Into<SecretString>) -> Self {
                $name(secret.into())
            }

            /// The bytes, for the request and the keychain alone.
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

/// The tokens of one sign-in and what is known about them.
#[derive(Clone, Debug)]
pub struct Grant {
    pub access_token: AccessToken,
    pub refresh_token: Option<RefreshToken>,
    /// Absent when the server did not say: use the token until it is refused.
    pub expires_at: Option<Timestamp>,
    /// What was granted; where the server did not say, what was asked for.
    pub scopes: Scopes,
    /// Who signed in, for display only: `email`, `preferred_username` or `name` of the id token.
    pub account: Option<String>,
    pub binding: Binding,
}

/// Where a grant belongs. A refresh token goes to no other host than this token endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Binding {
    pub issuer: Issuer,
    pub token_endpoint: Endpoint,
    pub revocation_endpoint: Option<Endpoint>,
    pub client_id: String,
    pub auth_method: AuthMethod,
    pub resource: String,
    /// False where the authorization server refuses the `resource` parameter, or predates it.
    pub sends_resource: bool,
}
