//! The parts of an engine that all server tasks share. None of them holds a server's handle.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use usher_api::ServerId;

use crate::board::Board;
use crate::connection::elicitation::Elicitations;
use crate::learned::Learned;
use crate::options::EngineOptions;
use crate::placeholders::Placeholders;
use crate::program::approvals::Approvals;
use crate::program::{Guardian, SearchPath};
use crate::refresh_journal::RefreshJournal;
use crate::secret_stores::SecretStores;
use crate::sign_in::callback::Callbacks;

pub(crate) struct Context {
    pub options: EngineOptions,
    pub placeholders: Placeholders,
    pub approvals: Approvals,
    pub search_path: SearchPath,
    pub guardian: Guardian,
    pub board: Arc<Board>,
    pub learned: Learned,
    pub journal: RefreshJournal,
    pub stores: SecretStores,
    pub callbacks: Arc<Callbacks>,
    pub elicitations: Arc<Elicitations>,
    /// Tasks that must end before the engine does, such as refreshes, code exchanges and revocations.
    pub tasks: TaskTracker,
    /// The revocations among these tasks.
    pub revocations: TaskTracker,
    pub stopping: CancellationToken,
    pub guards: GrantGuards,
}

/// The guards of the stored grants, one for each server. All tasks of a server in this run share its guard.
#[derive(Default)]
pub(crate) struct GrantGuards(Mutex<HashMap<ServerId, Arc<tokio::sync::Mutex<()>>>>);

impl GrantGuards {
    pub fn guard(&self, server: &ServerId) -> Arc<tokio::sync::Mutex<()>> {
        let mut guards = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(guards.entry(server.clone()).or_default())
    }
}
