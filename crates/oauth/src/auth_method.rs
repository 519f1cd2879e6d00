//! The authentication methods of the token endpoint.

use serde::{Deserialize, Serialize};

/// The client authentication method at the token endpoint (RFC 7591 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthMethod {
    None,
    ClientSecretBasic,
    ClientSecretPost,
    /// A signed assertion (RFC 7523 §2.2).
    PrivateKeyJwt,
}

impl AuthMethod {
    /// Parses the name of a method. Returns `None` if the method is not supported.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [
            AuthMethod::None,
            AuthMethod::ClientSecretBasic,
            AuthMethod::ClientSecretPost,
            AuthMethod::PrivateKeyJwt,
        ];
        all.into_iter().find(|method| method.as_str() == name)
    }

    pub fn as_str(self) -> &'static str {
        match self {
            AuthMethod::None => "none",
            AuthMethod::ClientSecretBasic => "client_secret_basic",
            AuthMethod::ClientSecretPost => "client_secret_post",
            AuthMethod::PrivateKeyJwt => "private_key_jwt",
        }
    }

    pub fn needs_secret(self) -> bool {
        match self {
            AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => true,
            AuthMethod::None | AuthMethod::PrivateKeyJwt => false,
        }
    }

    /// Chooses the method of a client with or without a secret. If `supported` is `None`, Basic is the default (RFC
    /// 8414 §2).
    pub(crate) fn choose(has_secret: bool, supported: Option<&[String]>) -> Self {
        if !has_secret {
            return AuthMethod::None;
        }
        first_supported(
            [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost, AuthMethod::None],
            supported,
        )
    }

    /// Chooses the method to register with. A public client is preferred.
    pub(crate) fn choose_for_registration(supported: Option<&[String]>) -> Self {
        first_supported(
            [AuthMethod::None, AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost],
            supported,
        )
    }
}

/// Returns the first supported method, or the first method if none is supported.
fn first_supported(methods: [AuthMethod; 3], supported: Option<&[String]>) -> AuthMethod {
    let is_supported =
        |method: &AuthMethod| supported.is_none_or(|all| all.iter().any(|name| name == method.as_str()));
    methods.into_iter().find(is_supported).unwrap_or(methods[0])
}
