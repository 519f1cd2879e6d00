//! Errors of connections and requests.

use std::io;

use usher_api::ErrorView;

/// Why a connection failed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No process listens: none holds the engine, or its holder is just starting or ending.
    #[error("Usher is not running")]
    NotRunning,
    /// The holder refused this process: another user, another version or other paths.
    #[error(transparent)]
    Refused(ErrorView),
    /// The socket is not safe to use, or the handshake failed.
    #[error("could not connect to the running Usher: {0}")]
    Io(#[from] io::Error),
}

/// Why a request has no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The engine's error.
    #[error(transparent)]
    Failed(ErrorView),
    /// The holder is about to end and did not start the request. Send it again, to this holder or the next one.
    #[error("the running Usher is about to end")]
    NotStarted,
    /// The holder ended before it started the request. Send it to the next holder.
    #[error("the running Usher has ended")]
    Ended,
    /// The holder exited or timed out during the request, which may or may not have run.
    #[error("lost the connection to the running Usher")]
    OutcomeUnknown,
}

impl ConnectError {
    /// Whether the holder may be starting, ending or slow, so that another attempt can succeed.
    pub(crate) fn is_temporary(&self) -> bool {
        match self {
            Self::NotRunning => true,
            Self::Io(error) => error.kind() == io::ErrorKind::TimedOut,
            Self::Refused(_) => false,
        }
    }
}

/// Whether the other side closed the connection.
pub(crate) fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected | UnexpectedEof)
}
