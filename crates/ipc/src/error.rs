//! Errors of connections and requests.

use std::io;

use usher_api::ErrorView;

/// The error of a connection attempt.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No process listens: no process holds the engine, or the holder is starting or ending.
    #[error("Usher is not running")]
    NotRunning,
    /// The holder refused this process, because its user, version or paths differ.
    #[error(transparent)]
    Refused(ErrorView),
    /// The socket is not safe to use, or the handshake failed.
    #[error("could not connect to the running Usher: {0}")]
    Io(#[from] io::Error),
}

/// The error of a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The engine's error.
    #[error(transparent)]
    Failed(ErrorView),
    /// The holder is about to end and did not start the request. The caller can send it again, to this or the next
    /// holder.
    #[error("the running Usher is about to end")]
    NotStarted,
    /// The holder ended. It did not start the request, or the request is safe to interrupt (see
    /// [`usher_api::Request::must_finish`]). The caller can send the request to the next holder.
    #[error("the running Usher has ended")]
    Ended,
    /// The holder disconnected or timed out during the request. The request may or may not have run.
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
