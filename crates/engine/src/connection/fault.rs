//! What can go wrong between us and an MCP server, typed, so that nothing is decided by a text.

use std::error::Error;
use std::io;

use usher_oauth::BearerChallenge;

use crate::ErrorView;
use crate::credentials::CredentialFault;

/// Why a request, a connection or a call did not come through.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// 401. `token_sent` tells a token that was refused from one that was never there.
    #[error("the server asks for a sign-in")]
    Unauthorized { challenge: Option<Box<BearerChallenge>>, token_sent: bool },
    /// 403 with `insufficient_scope` (RFC 6750 §3.1).
    #[error("the server asks for more permission")]
    InsufficientScope { challenge: Box<BearerChallenge> },
    /// The token that a request needs is not to be had.
    #[error(transparent)]
    Credentials(#[from] CredentialFault),
    /// The code that the browser brought could not be exchanged.
    #[error(transparent)]
    Exchange(usher_oauth::Error),
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    #[error("the server's certificate is not trusted: {0}")]
    Tls(String),
    #[error("the server did not answer within {0} seconds")]
    TimedOut(u64),
    /// Any other HTTP status without a JSON-RPC answer.
    #[error("the server answered HTTP {status}")]
    Status { status: u16, retry_after: Option<u64> },
    /// A redirect that is not followed: to another origin, or one that would change the method.
    #[error("the server sends us to another place")]
    Redirected { host: Option<String> },
    /// The connection ended under us.
    #[error("the connection was lost")]
    Lost,
    /// A JSON-RPC error from the server.
    #[error("the server answered with error {code}: {message}")]
    Rpc { code: i32, message: String },
    /// The server spoke, but not as the protocol has it.
    #[error("{0}")]
    Protocol(String),
    #[error("the call was cancelled")]
    Cancelled,
    /// Something of our own stands in the way: a secret that is missing, an address that cannot be used.
    #[error("{0}")]
    Setup(Box<ErrorView>),
}

impl Fault {
    /// Whether trying again later, with nothing changed by a person, may help.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::TimedOut(_) | Self::Lost => true,
            Self::Status { status, .. } => *status == 429 || *status == 408 || (500..600).contains(status),
            Self::Credentials(fault) => fault.is_transient(),
            Self::Unauthorized { .. }
            | Self::InsufficientScope { .. }
            | Self::Tls(_)
            | Self::Exchange(_)
            | Self::Redirected { .. }
            | Self::Rpc { .. }
            | Self::Protocol(_)
            | Self::Cancelled
            | Self::Setup(_) => false,
        }
    }

    /// Sorts a failed exchange by what a person would do about it. No message quotes the URL.
    pub fn from_reqwest(error: &reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Unreachable("no answer came in time".to_owned());
        }
        if error.is_redirect() {
            return Self::Redirected { host: None };
        }
        let mut cause: &(dyn Error + 'static) = error;
        loop {
            // An io::Error's source() skips the error that it wraps.
            let wrapped = cause.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            if cause.is::<native_tls::Error>()
                || wrapped.is_some_and(|wrapped| wrapped.is::<native_tls::Error>())
            {
                return Self::Tls(tls_reason(&cause.to_string()));
            }
            match cause.source() {
                Some(source) => cause = source,
                None if error.is_decode() => return Self::Protocol("its body cannot be read".to_owned()),
                None if cause.is::<reqwest::Error>() => {
                    return Self::Unreachable("the connection broke off".to_owned());
                }
                None => return Self::Unreachable(cause.to_string()),
            }
        }
    }
}

/// TLS libraries put the reason for people into parentheses at the end.
fn tls_reason(text: &str) -> String {
    let reason = text.rsplit_once('(').and_then(|(_, rest)| rest.split_once(')')).map(|(reason, _)| reason);
    reason.unwrap_or("what answers there does not speak TLS as it should").to_owned()
}
