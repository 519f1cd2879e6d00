//! The engine's handle: start, stop, and the public state. Its other methods are in `verbs`, grouped by subject.

use std::sync::Arc;

use usher_api::{ErrorView, ServerId, ServerView, Snapshot};

use crate::caller::{Caller, Callers};
use crate::calls::running::RunningCalls;
use crate::events::Events;
use crate::options::{EngineOptions, StartError};
use crate::run::Run;
use crate::server::handle::ServerHandle;
use crate::words;

/// A handle of a running engine. Clones share the engine. It stops when [`Engine::stop`] is called or the last handle
/// is dropped.
#[derive(Clone)]
pub struct Engine {
    pub(crate) run: Arc<Run>,
    pub(crate) calls: Arc<RunningCalls>,
    pub(crate) caller: Caller,
    callers: Callers,
}

impl Engine {
    /// Takes the lock, reads `mcp.json` and starts a task for each selected server. If the file is not JSON, the
    /// engine still runs, and the snapshot contains the error.
    pub async fn start(options: EngineOptions) -> Result<Self, StartError> {
        let run = Arc::new(Run::start(options).await?);
        Ok(Self { run, calls: Arc::default(), callers: Callers::new(), caller: Callers::holder() })
    }

    /// Returns a handle for another caller, such as another process. A call belongs to the handle that makes it and to
    /// that handle's clones. Only they receive the call's progress and can cancel the call. Only they receive and can
    /// answer the server's questions, unless [`crate::CallOptions::asks_holder`] is set.
    pub fn for_another(&self) -> Self {
        Self { caller: self.callers.new_caller(), ..self.clone() }
    }

    /// Cancels all calls of this handle. Call it when the caller disconnects.
    pub fn leave(&self) {
        self.caller.gone.cancel();
    }

    /// Waits for all pending revocations, at most five seconds each. After a sign-out, call it before [`Engine::stop`],
    /// because `stop` does not wait that long.
    pub async fn revocations_ended(&self) {
        self.run.context.revocations.close();
        self.run.context.revocations.wait().await;
    }

    /// Ends all tasks and connections, and releases the lock. Waits at most two seconds.
    pub async fn stop(&self) {
        self.run.stop().await;
    }

    /// Returns the public state. Subscribe first, then drop events whose revision is not higher than the snapshot's.
    pub fn snapshot(&self) -> Snapshot {
        self.run.context.board.snapshot(self.caller.id)
    }

    /// Subscribes to changes. A reader that falls behind must take a new snapshot.
    pub fn subscribe(&self) -> Events {
        self.run.context.board.subscribe(self.caller.id)
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.run.context.board.server(id)
    }

    /// Returns the options that the engine was started with.
    pub fn options(&self) -> &EngineOptions {
        &self.run.context.options
    }

    /// Returns the handle of a running server. If the server does not run because its entry in `mcp.json` has an error,
    /// returns that error.
    pub(crate) fn handle_of(&self, id: &ServerId) -> Result<Arc<ServerHandle>, ErrorView> {
        let servers = &self.run.servers;
        servers
            .get(id)
            .ok_or_else(|| servers.entry_error(id).unwrap_or_else(|| words::config::unknown_server(&id.0)))
    }
}
