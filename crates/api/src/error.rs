//! The error that crosses the boundary: a code to act on, a message to read, a hint to follow.

use serde::{Deserialize, Serialize};

/// A failure, as the window and the command line show it.
///
/// `message` says what failed and with which host, `hint` what to do next. Neither contains a token, a code, a
/// verifier, a client secret or a URL with a query. Callers act on `code` only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[error("{message}")]
pub struct ErrorView {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
    /// Protocol details for the "Details" section: step, host, status, RFC 6749 error code.
    pub details: Option<String>,
}

impl ErrorView {
    pub fn new(code: Code, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: Some(hint.into()), details: None }
    }

    /// Creates an error whose next step is obvious.
    pub fn without_hint(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, details: None }
    }

    #[must_use]
    pub fn with_details(self, details: impl Into<String>) -> Self {
        Self { details: Some(details.into()), ..self }
    }
}

/// The kinds of failure that callers tell apart. Each one exists because a caller acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Open the file at the line.
    ConfigInvalid,
    /// Retry now.
    ServerUnreachable,
    /// Retry now; the certificate is not trusted.
    TlsFailed,
    /// Show the details.
    DiscoveryFailed,
    /// Ask for a client id.
    RegistrationUnsupported,
    /// Offer the next redirect.
    RedirectRejected,
    /// Offer to sign in again.
    AuthorizationDenied,
    /// Offer to sign in again.
    AuthorizationExpired,
    /// Offer to sign in.
    SignInRequired,
    /// Offer to grant access.
    InsufficientScope,
    /// Show help for this system, and the other stores.
    KeychainUnavailable,
    /// Show help for this system, and retry.
    KeychainLocked,
    /// Show the program's last lines.
    ProcessExited,
    /// The server's response does not follow the protocol.
    ProtocolError,
    /// Wait: an `usher` command runs the engine and will end.
    EngineBusy,
    /// Copy the details.
    Internal,
}
