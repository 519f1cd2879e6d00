//! The callers of the engine. A call's progress and its server's questions go to its caller only.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

/// The user of one handle of the engine and its clones.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub id: CallerId,
    /// Cancelled when the caller goes away.
    pub gone: CancellationToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CallerId(u64);

/// Gives each caller of one engine its own id.
#[derive(Clone, Debug)]
pub(crate) struct Callers(Arc<AtomicU64>);

/// The caller that a server's question is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addressee {
    pub caller: CallerId,
    /// The caller's name for the call that led to the question.
    pub call: Option<String>,
}

impl CallerId {
    /// The process that runs the engine: the app, or a command.
    pub const HOLDER: Self = Self(0);
}

impl Callers {
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(CallerId::HOLDER.0 + 1)))
    }

    pub fn holder() -> Caller {
        Caller { id: CallerId::HOLDER, gone: CancellationToken::new() }
    }

    pub fn another(&self) -> Caller {
        let id = CallerId(self.0.fetch_add(1, Ordering::Relaxed));
        Caller { id, gone: CancellationToken::new() }
    }
}

impl Addressee {
    /// The addressee of a question that belongs to no known call.
    pub fn holder() -> Self {
        Self { caller: CallerId::HOLDER, call: None }
    }
}
