//! A server's authorization, client registration and redirect.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The authorization that a server uses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthView {
    /// The server has not responded yet, or its transport is not `TransportKind::Http`.
    Unknown,
    /// The server requires no authorization.
    None,
    /// `mcp.json` sets an `Authorization` header, which disables OAuth.
    Header,
    OAuth {
        signed_in: bool,
        issuer: Option<String>,
        account: Option<String>,
        scopes: Vec<String>,
        expires_at: Option<Timestamp>,
        /// Whether the access token can be refreshed automatically.
        refreshable: bool,
        client_id: Option<String>,
        registration: Option<RegistrationKind>,
        redirect: Option<RedirectKind>,
        resource: Option<String>,
    },
}

/// The redirects, in the order in which a sign-in tries them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum RedirectKind {
    /// `dev.usher.desktop:/oauth/callback` (RFC 8252 §7.1).
    Link,
    /// `dev.usher.desktop://oauth/callback`, for authorization servers that require a host.
    LinkWithHost,
    /// `http://127.0.0.1:PORT/oauth/callback`, a listener for one sign-in (RFC 8252 §7.3).
    Loopback,
    /// The person copies the callback from the browser.
    Paste,
}

/// The source of the client id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum RegistrationKind {
    PreRegistered,
    MetadataDocument,
    Dynamic,
}
