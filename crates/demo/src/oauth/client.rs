//! Registered clients. The client id is the signed registration, so registrations need no storage.

use serde::{Deserialize, Serialize};

use super::redirect;
use super::signing::Signer;

/// A client's authentication method at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuthMethod {
    None,
    ClientSecretBasic,
    ClientSecretPost,
}

/// A registered client, with only the values that are needed later.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Client {
    pub(crate) issuer: String,
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<String>,
    pub(crate) auth_method: AuthMethod,
    pub(crate) may_refresh: bool,
    /// Whether the client registered for the device authorization grant.
    #[serde(default)]
    pub(crate) may_use_device: bool,
    /// The epoch of the registration. Clients of an older epoch are invalid.
    pub(crate) epoch: u64,
    /// A random value, so that two registrations with equal metadata differ.
    pub(crate) nonce: String,
}

/// The `typ` header of a client id.
const TYPE: &str = "usher-demo-client";

impl Client {
    pub(crate) fn id(&self, signer: &Signer) -> String {
        signer.sign(TYPE, self)
    }

    /// Returns the client with this id, or `None` if this signer did not sign the id.
    pub(crate) fn open(id: &str, signer: &Signer) -> Option<Self> {
        signer.open(TYPE, id)
    }

    pub(crate) fn accepts_redirect(&self, requested: &str) -> bool {
        self.redirect_uris.iter().any(|registered| redirect::matches(registered, requested))
    }
}
