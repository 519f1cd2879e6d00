//! Registered clients. The client id is the signed registration, so registrations need no storage.

use serde::{Deserialize, Serialize};

use super::redirect;
use super::signing::{Signed, Signer};

/// A client's authentication method at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthMethod {
    None,
    ClientSecretBasic,
    ClientSecretPost,
}

impl AuthMethod {
    pub(crate) fn parse(name: &str) -> Option<AuthMethod> {
        match name {
            "none" => Some(AuthMethod::None),
            "client_secret_basic" => Some(AuthMethod::ClientSecretBasic),
            "client_secret_post" => Some(AuthMethod::ClientSecretPost),
            _ => None,
        }
    }
}

/// The registered values that are needed later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) issuer: String,
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) auth_method: AuthMethod,
    pub(crate) may_refresh: bool,
    /// The epoch of the registration. Clients of an older epoch are forgotten.
    pub(crate) epoch: u64,
    /// Makes two registrations with equal metadata differ.
    pub(crate) nonce: String,
}

impl Signed for Client {
    const TYPE: &'static str = "usher-demo-client";
}

impl Client {
    pub(crate) fn id(&self, signer: &Signer) -> String {
        signer.sign(self)
    }

    pub(crate) fn accepts_redirect(&self, requested: &str) -> bool {
        self.redirect_uris.iter().any(|registered| redirect::matches(registered, requested))
    }
}
