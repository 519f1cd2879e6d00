//! What every server's task of one engine shares.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use usher_config::ConfigFile;

use crate::board::Board;
use crate::connection::elicitation::Elicitations;
use crate::credentials::stores::Stores;
use crate::kept::Kept;
use crate::server::{Message, ServerHandle};
use crate::sign_in::flows::Flows;
use crate::sign_in::left_waiting::LeftWaiting;
use crate::{EngineOptions, ErrorView, ServerId};

pub(crate) struct Shared {
    pub options: EngineOptions,
    pub board: Arc<Board>,
    pub config: ConfigFile,
    pub kept: Kept,
    pub stores: Stores,
    pub flows: Flows,
    pub elicitations: Arc<Elicitations>,
    /// What has to come to its end when the engine stops: renewals, exchanges, revocations.
    pub tasks: TaskTracker,
    /// The revocations among them.
    pub revocations: TaskTracker,
    pub stopping: CancellationToken,
    pub servers: Mutex<HashMap<ServerId, Arc<ServerHandle>>>,
    /// The servers that this engine runs; `None` is all of them. It only grows.
    pub wanted: Mutex<Option<HashSet<ServerId>>>,
    /// One a server's name, for its kept sign-in.
    pub guards: Mutex<HashMap<ServerId, Arc<tokio::sync::Mutex<()>>>>,
    /// One change of the set of servers at a time.
    pub changing: tokio::sync::Mutex<()>,
    pub left_waiting: LeftWaiting,
}

impl Shared {
    pub fn servers(&self) -> MutexGuard<'_, HashMap<ServerId, Arc<ServerHandle>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tell_all(&self, message: impl Fn() -> Message) {
        for handle in self.servers().values() {
            handle.send(message());
        }
    }

    /// The guard of a server's kept sign-in; the same for every task that the server has in this run.
    pub fn guard(&self, id: &ServerId) -> Arc<tokio::sync::Mutex<()>> {
        let mut guards = self.guards.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(guards.entry(id.clone()).or_default())
    }

    /// Whether this engine runs a server of `mcp.json`.
    pub fn runs(&self, id: &ServerId) -> bool {
        self.wanted().as_ref().is_none_or(|wanted| wanted.contains(id))
    }

    /// Adds to the servers that this engine runs; `None` is all of them. `false` where they are among them already.
    pub fn want(&self, servers: Option<&[ServerId]>) -> bool {
        let mut wanted = self.wanted();
        let Some(known) = wanted.as_mut() else { return false };
        let Some(servers) = servers else {
            *wanted = None;
            return true;
        };
        let before = known.len();
        known.extend(servers.iter().cloned());
        known.len() > before
    }

    fn wanted(&self) -> MutexGuard<'_, Option<HashSet<ServerId>>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings an address from outside to the sign-in it belongs to, and waits for what becomes of it.
    pub async fn complete(&self, raw: &str) -> Result<ServerId, ErrorView> {
        self.resume_for(raw).await?;
        self.flows.complete(raw).await
    }

    /// The same without waiting for the exchange.
    pub async fn take_link(&self, raw: &str) -> Result<(), ErrorView> {
        self.resume_for(raw).await?;
        self.flows.hand_over(raw)
    }

    /// An answer that belongs to no sign-in of this run may belong to one that the run before left waiting. Where the
    /// secret store cannot tell, the person settles that and follows the link again.
    async fn resume_for(&self, raw: &str) -> Result<(), ErrorView> {
        let Some(state) = self.flows.unknown_state(raw) else { return Ok(()) };
        let servers = self.servers().keys().cloned().collect();
        let found = self.left_waiting.find(&state, servers, &self.stores).await?;
        let Some((id, pending)) = found else { return Ok(()) };
        let handle = self.servers().get(&id).cloned();
        if let Some(handle) = handle {
            handle.ask(|reply| Message::Resume { pending: Box::new(pending), reply }).await;
        }
        Ok(())
    }
}
