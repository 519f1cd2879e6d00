//! The API's error type: a code, a message and a hint.

use serde::{Deserialize, Serialize};

/// An error, as the window and the command line show it.
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

/// The kinds of error that callers distinguish. Each code exists because a caller acts on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// `mcp.json` or one of its entries is invalid. The window opens the file.
    ConfigInvalid,
    /// The server could not be reached. The person can retry.
    ServerUnreachable,
    /// The TLS connection failed, for example because the certificate is not trusted. The person can retry.
    TlsFailed,
    /// Discovery failed, before the authorization began. The window shows the details.
    DiscoveryFailed,
    /// The authorization server's endpoints belong to another site. The window asks the person to confirm them.
    EndpointsUnconfirmed,
    /// The authorization server does not register clients, or rejected Usher. The window asks for a client ID.
    RegistrationUnsupported,
    /// The authorization server rejected the redirect. The window offers a new sign-in.
    RedirectRejected,
    /// The person or the authorization server denied the request. The person can sign in again.
    AuthorizationDenied,
    /// The sign-in timed out or was replaced, or the callback is invalid. The person can sign in again.
    AuthorizationExpired,
    /// The server needs a sign-in.
    SignInRequired,
    /// The grant lacks a scope. The window offers the button “Grant access”.
    InsufficientScope,
    /// `mcp.json` sends a secret to an origin for which the person has not allowed it. The window asks the person.
    SecretNotAllowed,
    /// The keychain or the file store cannot be used. The window shows instructions, and offers the other stores.
    KeychainUnavailable,
    /// The keychain is locked. The window shows instructions for the operating system, and the person can retry.
    KeychainLocked,
    /// `mcp.json` names a program that the person has not approved. The window shows its command and asks the person.
    ApprovalNeeded,
    /// A local program ended. The window shows the last lines of its output.
    ProcessExited,
    /// The server's response does not follow the protocol.
    ProtocolError,
    /// An `usher` command is running the engine. The app waits until the command ends.
    EngineBusy,
    /// Usher itself or this machine failed. The person can copy the details.
    Internal,
}
