//! The callers of the engine. Only a call's own caller receives its progress. The server's questions go to that caller
//! or to the holder.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio_util::sync::CancellationToken;
use usher_api::CallingProgram;

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
    /// The call behind the question, if it is known.
    pub call: Option<KnownCall>,
}

/// A running call, as its server's questions show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KnownCall {
    /// The caller, who is not the recipient of the questions if it cannot ask a person.
    pub caller: CallerId,
    /// The ID that the caller chose for the call.
    pub name: String,
    /// The title or name of the tool.
    pub tool: String,
    pub program: CallingProgram,
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
    /// Returns the addressee of questions that belong to no known call.
    pub fn holder() -> Self {
        Self { caller: CallerId::HOLDER, call: None }
    }

    /// Returns the ID of the call, if the recipient made the call.
    pub fn own_call(&self) -> Option<&str> {
        self.call.as_ref().filter(|call| call.caller == self.caller).map(|call| call.name.as_str())
    }

    /// Returns the call, if another caller made it.
    pub fn foreign_call(&self) -> Option<&KnownCall> {
        self.call.as_ref().filter(|call| call.caller != self.caller)
    }
}
