//! What a client knows of the engine: its snapshot, carried on by its events.

use std::sync::{Mutex, MutexGuard, PoisonError};

use usher_api::{Event, ServerId, ServerView, Snapshot};

pub(crate) struct Mirror(Mutex<Snapshot>);

impl Mirror {
    pub fn new(snapshot: Snapshot) -> Self {
        Self(Mutex::new(snapshot))
    }

    pub fn snapshot(&self) -> Snapshot {
        self.lock().clone()
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.lock().servers.iter().find(|view| view.id == *id).cloned()
    }

    pub fn replace(&self, snapshot: Snapshot) {
        *self.lock() = snapshot;
    }

    /// Takes one change in. `false` for one that the snapshot has already.
    pub fn apply(&self, event: &Event) -> bool {
        let mut known = self.lock();
        if event.revision() <= known.revision {
            return false;
        }
        known.revision = event.revision();
        match event {
            Event::ServerChanged { view, .. } => {
                match known.servers.iter_mut().find(|server| server.id == view.id) {
                    Some(server) => *server = view.clone(),
                    None => known.servers.push(view.clone()),
                }
            }
            Event::ServerRemoved { id, .. } => known.servers.retain(|server| server.id != *id),
            Event::ConfigChanged { order, config, .. } => {
                let place = |id: &ServerId| order.iter().position(|known| known == id).unwrap_or(usize::MAX);
                known.servers.sort_by_key(|server| place(&server.id));
                known.config = config.clone();
            }
            Event::ConfigRejected { config, .. } => known.config = config.clone(),
            Event::SecretStoreChanged { secret_store, .. } => known.secret_store = secret_store.clone(),
            Event::PausedChanged { paused, .. } => known.paused = *paused,
            Event::ElicitationRequested { elicitation, .. } => known.elicitations.push(elicitation.clone()),
            Event::ElicitationEnded { id, .. } => known.elicitations.retain(|asked| asked.id != *id),
            Event::ToolsChanged { .. }
            | Event::ResourcesChanged { .. }
            | Event::PromptsChanged { .. }
            | Event::CallProgressed { .. } => {}
        }
        true
    }

    fn lock(&self) -> MutexGuard<'_, Snapshot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
