//! The error that crosses the boundary: a code to act on, a message to read, a hint to follow.

use serde::{Deserialize, Serialize};

/// What went wrong, as seen by the window and the command line.
///
/// `message` says what happened and where, `hint` what to do next. Neither ever holds a token, a code, a
/// verifier, a client secret or a URL with a query. Only `code` may be acted on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[error("{message}")]
pub struct ErrorView {
    pub code: Code,
    pub message: String,
    pub hint: Option<String>,
    /// The protocol's own details, for the "Details" fold: step, host, status, RFC 6749 error code.
    pub details: Option<String>,
}

/// What the window and the command line tell apart. A code exists only because somebody acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Open the file at the line.
    ConfigInvalid,
    /// Retry now.
    ServerUnreachable,
    /// Retry now; the certificate is the matter.
    TlsFailed,
    /// Show the details.
    DiscoveryFailed,
    /// Ask for a client id.
    RegistrationUnsupported,
    /// Offer the next way back.
    RedirectRejected,
    /// Offer to sign in again.
    AuthorizationDenied,
    /// Offer to sign in again.
    AuthorizationExpired,
    /// Offer to sign in.
    SignInRequired,
    /// Offer to grant access.
    InsufficientScope,
    /// Help for this system, and the choices.
    KeychainUnavailable,
    /// Help for this system, and retry.
    KeychainLocked,
    /// Show its last lines.
    ProcessExited,
    /// The server spoke, but not as the protocol has it.
    ProtocolError,
    /// Wait: a command of the same person has the engine, and it goes on by itself.
    EngineBusy,
    /// Copy the details.
    Internal,
}
