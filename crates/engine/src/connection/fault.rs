//! The errors between Usher and an MCP server. They are typed, so that no decision depends on an error text.

use std::error::Error;

use usher_api::{ErrorView, SecretRequestView};
use usher_oauth::Challenge;

use super::rpc_error::RpcError;
use crate::credentials::fault::CredentialFault;
use crate::program::process::ProcessEnd;

/// The reason why a request, a connection or a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// 401. `token_sent` distinguishes a rejected token from a missing one.
    #[error("the server requires authorization")]
    Unauthorized { challenge: Option<Box<Challenge>>, token_sent: bool },
    /// 403 with `insufficient_scope` (RFC 6750 §3.1).
    #[error("the server asks for more permissions")]
    InsufficientScope { challenge: Box<Challenge> },
    /// No token is available for the request.
    #[error(transparent)]
    Credentials(#[from] CredentialFault),
    /// The authorization code could not be exchanged.
    #[error(transparent)]
    Exchange(usher_oauth::Error),
    #[error("could not reach the server: {0}")]
    Unreachable(String),
    #[error("could not make a secure connection to the server: {0}")]
    Tls(String),
    /// A deadline of the engine passed. A timeout of the HTTP client is [`Self::Unreachable`].
    #[error("the server did not respond within {0} seconds")]
    TimedOut(u64),
    /// Any other HTTP status without a JSON-RPC response.
    #[error("the server responded with HTTP {status}")]
    Status { status: u16, retry_after: Option<u64> },
    /// A redirect that is not followed: to another origin, or one that would change the method.
    #[error("the server answered with a redirect")]
    Redirected { host: Option<String> },
    /// The connection ended during a request.
    #[error("the connection was lost")]
    Lost,
    /// A JSON-RPC error from the server.
    #[error(transparent)]
    Rpc(RpcError),
    /// The server's response does not follow the protocol.
    #[error("{0}")]
    Protocol(String),
    /// The server exceeded a limit of `usher_budgets`, and is disconnected.
    #[error("{0}")]
    LimitExceeded(String),
    /// The local program of the server ended.
    #[error("the program ended")]
    Exited(Box<ProcessEnd>),
    /// The person has not approved the local program.
    #[error("the program is not approved")]
    NotApproved,
    #[error("the call was cancelled")]
    Cancelled,
    /// The entry in `mcp.json` sends values to origins for which the person has not allowed them.
    #[error("a secret is not allowed for this address")]
    SecretNotAllowed(Vec<SecretRequestView>),
    /// The entry in `mcp.json` cannot be used: a missing secret, an invalid address.
    #[error("{0}")]
    Setup(Box<ErrorView>),
}

impl Fault {
    /// Returns the fault for a response that violates the protocol.
    pub fn violation(what: &str) -> Self {
        Self::Protocol(format!("the server violates the protocol: {what}"))
    }

    /// Returns whether the server may have rejected the MCP revision of `initialize`.
    pub fn may_reject_revision(&self) -> bool {
        match self {
            Self::Status { status: 400, .. } => true,
            Self::Rpc(error) => error.message.to_ascii_lowercase().contains("version"),
            _ => false,
        }
    }

    /// Returns whether a retry may succeed without the person.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) | Self::Lost => true,
            Self::Status { status, .. } => *status == 429 || *status == 408 || (500..600).contains(status),
            Self::Credentials(fault) => fault.is_transient(),
            Self::Exited(end) => !end.is_final,
            Self::Unauthorized { .. }
            | Self::InsufficientScope { .. }
            | Self::Tls(_)
            | Self::Exchange(_)
            | Self::Redirected { .. }
            | Self::Rpc(_)
            | Self::Protocol(_)
            | Self::LimitExceeded(_)
            | Self::NotApproved
            | Self::Cancelled
            | Self::SecretNotAllowed(_)
            | Self::Setup(_) => false,
        }
    }

    /// Classifies a failed HTTP exchange. No message contains the URL.
    pub fn from_reqwest(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Unreachable("timed out".to_owned());
        }
        if error.is_redirect() {
            return Self::Redirected { host: None };
        }
        let mut cause: &(dyn Error + 'static) = error;
        loop {
            if let Some(why) = usher_oauth::tls_reason(cause) {
                return Self::Tls(why.to_owned());
            }
            match cause.source() {
                Some(source) => cause = source,
                None if error.is_decode() => {
                    return Self::Protocol("the body of the server's response cannot be decoded".to_owned());
                }
                None if cause.is::<reqwest::Error>() => {
                    return Self::Unreachable("the connection was closed".to_owned());
                }
                None => return Self::Unreachable(cause.to_string()),
            }
        }
    }
}
