//! The authentication methods of the token endpoint.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The client authentication method at the token endpoint (RFC 7591 §2).
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

    /// Chooses the method of a client with or without a secret. If `supported` is `None`, Basic is the default (RFC
    /// 8414 §2).
    pub(crate) fn choose(has_secret: bool, supported: Option<&[String]>) -> Self {
        let offers =
            |method: AuthMethod| supported.is_some_and(|all| all.iter().any(|name| name == method.as_str()));
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

    /// Chooses the method to register with. A public client is preferred.
    pub(crate) fn choose_for_registration(supported: Option<&[String]>) -> Self {
        let offers =
            |method: AuthMethod| supported.is_none_or(|all| all.iter().any(|name| name == method.as_str()));
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

/// An unsupported token endpoint authentication method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unsupported token endpoint authentication method")]
pub struct UnknownAuthMethod;
