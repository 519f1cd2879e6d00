//! The options of a service.

use std::time::Duration;

/// The token lifetimes and the protocol of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    pub access_token_lifetime: Duration,
    /// How long a refresh token is accepted after its rotation. If this is zero, a second use of the token revokes the
    /// family.
    pub grace_period: Duration,
    /// Whether the tokens vary in length, up to several thousand characters, like those of real services.
    pub has_long_tokens: bool,
    pub protocol: Protocol,
    /// Whether an MCP request needs an access token.
    pub requires_authorization: bool,
}

/// The MCP version that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// 2026-07-28: `server/discover`, no session.
    Discovery,
    /// 2025-06-18: `initialize`, with a session.
    Handshake,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            access_token_lifetime: Duration::from_secs(3600),
            grace_period: Duration::ZERO,
            has_long_tokens: false,
            protocol: Protocol::Discovery,
            requires_authorization: true,
        }
    }
}

impl Options {
    /// Returns options for an MCP server with the older protocol and without authorization.
    pub fn open_handshake() -> Self {
        Options { protocol: Protocol::Handshake, requires_authorization: false, ..Options::default() }
    }
}
