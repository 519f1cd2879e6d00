//! Protected resource metadata (RFC 9728): which authorization servers guard a server.

use crate::{Issuer, Scopes};

/// The fields in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProtectedResourceMetadata {
    /// The exact string that goes into every `resource` parameter.
    pub resource: String,
    pub authorization_servers: Vec<Issuer>,
    pub scopes_supported: Option<Scopes>,
    /// For display.
    pub resource_name: Option<String>,
}
