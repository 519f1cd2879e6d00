//! The callers of the engine. Only a call's own caller receives its progress. The server's questions go to that caller
//! or to the holder.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

/// The user of one engine handle and its clones.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub id: CallerId,
    /// Cancelled when the caller goes away.
    pub gone: CancellationToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CallerId(u64);

/// The source of caller ids. Each caller of an engine gets its own id.
#[derive(Clone, Debug)]
pub(crate) struct Callers(Arc<AtomicU64>);

/// The recipient of a server's question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addressee {
    pub caller: CallerId,
    /// The ID that the caller chose for the call behind the question. `None` if no call is known.
    pub call: Option<String>,
}

impl CallerId {
    /// The id of the holder, which is the process that runs the engine: the app, or a command.
    pub const HOLDER: Self = Self(0);
}

impl Callers {
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(CallerId::HOLDER.0 + 1)))
    }

    pub fn holder() -> Caller {
        Caller { id: CallerId::HOLDER, gone: CancellationToken::new() }
    }

    pub fn new_caller(&self) -> Caller {
        let id = CallerId(self.0.fetch_add(1, Ordering::Relaxed));
        Caller { id, gone: CancellationToken::new() }
    }
}

impl Addressee {
    /// Returns the addressee of questions that belong to no known call, or whose caller cannot ask a person.
    pub fn holder() -> Self {
        Self { caller: CallerId::HOLDER, call: None }
    }
}
