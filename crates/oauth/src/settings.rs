//! What a person configured for one server's sign-in, and how a client proves who it is.

use std::fmt;
use std::str::FromStr;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Issuer, Scopes};

/// A server's OAuth settings. The default asks for nothing special and suits most servers.
#[derive(Clone, Debug, Default)]
pub struct ClientSettings {
    /// A client that was registered by hand.
    pub client_id: Option<String>,
    pub client_secret: Option<SecretString>,
    /// The one authorization server that may see this client; no other is shown it. Absent: not pinned yet.
    pub issuer: Option<Issuer>,
    /// Asked for instead of what the server suggests.
    pub scopes: Option<Scopes>,
    /// The address of this app's own client id metadata document, if it has one.
    pub metadata_document: Option<Url>,
    /// Authorization and token addresses of a server without metadata. They count only together with `client_id`.
    pub endpoints: Option<(Url, Url)>,
    /// Sent as `audience` with the authorization request, for the services that want it.
    pub audience: Option<String>,
    /// Go on where the authorization server does not advertise PKCE. It is used all the same.
    pub allow_missing_pkce: bool,
}

/// How the client authenticates at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    None,
    ClientSecretBasic,
    ClientSecretPost,
}

impl AuthMethod {
    pub fn as_str(self) -> &'static str {
        match self {
            AuthMethod::None => "none",
            AuthMethod::ClientSecretBasic => "client_secret_basic",
            AuthMethod::ClientSecretPost => "client_secret_post",
        }
    }

    pub fn needs_secret(self) -> bool {
        self != AuthMethod::None
    }

    /// The method for a client with or without a secret, out of those on offer (absent: RFC 8414's default, Basic).
    pub(crate) fn choose(has_secret: bool, supported: Option<&[String]>) -> Self {
        let offers =
            |method: AuthMethod| supported.is_some_and(|all| all.iter().any(|one| one == method.as_str()));
        if !has_secret {
            AuthMethod::None
        } else if supported.is_none() || offers(AuthMethod::ClientSecretBasic) {
            AuthMethod::ClientSecretBasic
        } else if offers(AuthMethod::ClientSecretPost) {
            AuthMethod::ClientSecretPost
        } else if offers(AuthMethod::None) {
            AuthMethod::None
        } else {
            AuthMethod::ClientSecretBasic
        }
    }

    /// What to ask for at registration: a public client where that is possible.
    pub(crate) fn to_register(supported: Option<&[String]>) -> Self {
        let offers =
            |method: AuthMethod| supported.is_none_or(|all| all.iter().any(|one| one == method.as_str()));
        [AuthMethod::None, AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost]
            .into_iter()
            .find(|&method| offers(method))
            .unwrap_or(AuthMethod::None)
    }
}

impl fmt::Display for AuthMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuthMethod {
    type Err = UnknownAuthMethod;

    fn from_str(name: &str) -> Result<Self, UnknownAuthMethod> {
        match name {
            "none" => Ok(AuthMethod::None),
            "client_secret_basic" => Ok(AuthMethod::ClientSecretBasic),
            "client_secret_post" => Ok(AuthMethod::ClientSecretPost),
            _ => Err(UnknownAuthMethod),
        }
    }
}

/// A token endpoint authentication method that this app does not speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown token endpoint authentication method")]
pub struct UnknownAuthMethod;
