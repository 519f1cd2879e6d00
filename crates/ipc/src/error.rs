//! Why an engine was not reached, or did not answer.

use std::io;

use usher_api::ErrorView;

/// Why no connection came about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens: the lock is free, or its holder has just come or is about to go.
    #[error("no Usher is running")]
    NotRunning,
    /// Somebody listens and does not want us: another person, another version, other places.
    #[error(transparent)]
    Refused(ErrorView),
    /// Somebody may listen, but the place is not safe or the exchange failed.
    #[error("the running Usher cannot be reached: {0}")]
    Io(#[from] io::Error),
}

/// Why a request got no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// The engine's own answer.
    #[error(transparent)]
    Refused(ErrorView),
    /// The holder is about to end and did not begin: to be asked again, of it or of whoever comes after it.
    #[error("the running Usher is about to end")]
    Moved,
    /// The holder has ended and did not begin: to be asked of whoever comes after it.
    #[error("the running Usher has ended")]
    Gone,
    /// The holder went away in the middle, or does not answer; nobody knows whether it did anything.
    #[error("the running Usher went away")]
    Lost,
}

/// Whether an error of a connection says that its other end went away.
pub(crate) fn is_hang_up(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, NotConnected, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionReset | NotConnected | UnexpectedEof)
}
