//! Who makes a call, and so who hears of it and is asked what its server wants to know.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;

/// Whoever uses one handle of the engine and its clones.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub id: CallerId,
    /// It went away, and wants nothing more.
    pub gone: CancellationToken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct CallerId(u64);

/// Gives each caller of one engine an id of its own.
#[derive(Clone, Debug)]
pub(crate) struct Callers(Arc<AtomicU64>);

/// Whom a server's question is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Addressee {
    pub caller: CallerId,
    /// The caller's name for the call that led to the question.
    pub call: Option<String>,
}

impl CallerId {
    /// The program that holds the engine: its window, or the command itself.
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
    /// For what belongs to no call that is known.
    pub fn holder() -> Self {
        Self { caller: CallerId::HOLDER, call: None }
    }
}
