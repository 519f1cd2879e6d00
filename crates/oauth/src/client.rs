//! A client that is registered with an authorization server.

use jiff::Timestamp;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::{AuthMethod, Issuer, RedirectUri};

/// The way a client was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistrationKind {
    /// Registered by hand, configured in `mcp.json`.
    PreRegistered,
    /// A client ID metadata document.
    MetadataDocument,
    /// Dynamic client registration (RFC 7591).
    Dynamic,
}

/// A client without its secret. It is stored for one issuer, and for one redirect URI if it has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRegistration {
    pub client_id: String,
    pub auth_method: AuthMethod,
    /// `None` for a client of the device authorization grant, which needs no redirect.
    pub redirect_uri: Option<RedirectUri>,
    /// The only authorization server that may see this client.
    pub issuer: Issuer,
    pub kind: RegistrationKind,
    /// `None` if the secret never expires.
    pub secret_expires_at: Option<Timestamp>,
}

/// A client with its secret, if it has one.
#[derive(Clone, Debug)]
pub struct RegisteredClient {
    pub registration: ClientRegistration,
    pub secret: Option<SecretString>,
}
