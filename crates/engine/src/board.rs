//! What is public of an engine: the snapshot and the stream of events, under one revision.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::broadcast;

use crate::{ConfigView, ElicitationView, Event, Revision, SecretStoreView, ServerId, ServerView, Snapshot};

/// Events that a slow reader may fall behind before it has to take a new snapshot.
const BACKLOG: usize = 1024;

/// Every change goes through here, so that an event and the snapshot of its revision agree.
#[derive(Debug)]
pub(crate) struct Board {
    state: Mutex<State>,
    events: broadcast::Sender<Event>,
}

#[derive(Debug)]
struct State {
    revision: u64,
    order: Vec<ServerId>,
    servers: HashMap<ServerId, ServerView>,
    config: ConfigView,
    secret_store: SecretStoreView,
    paused: bool,
    elicitations: Vec<ElicitationView>,
}

impl Board {
    pub fn new(config: ConfigView, secret_store: SecretStoreView) -> Self {
        let state = State {
            revision: 0,
            order: Vec::new(),
            servers: HashMap::new(),
            config,
            secret_store,
            paused: false,
            elicitations: Vec::new(),
        };
        Self { state: Mutex::new(state), events: broadcast::channel(BACKLOG).0 }
    }

    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub fn snapshot(&self) -> Snapshot {
        let state = self.lock();
        Snapshot {
            revision: Revision(state.revision),
            servers: state.order.iter().filter_map(|id| state.servers.get(id)).cloned().collect(),
            config: state.config.clone(),
            secret_store: state.secret_store.clone(),
            paused: state.paused,
            elicitations: state.elicitations.clone(),
        }
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.lock().servers.get(id).cloned()
    }

    /// Publishes a server's view, if it differs from the one before.
    pub fn change_server(&self, view: ServerView) {
        let mut state = self.lock();
        if state.servers.get(&view.id) == Some(&view) {
            return;
        }
        if !state.order.contains(&view.id) {
            state.order.push(view.id.clone());
        }
        state.servers.insert(view.id.clone(), view.clone());
        self.publish(&mut state, |revision| Event::ServerChanged { revision, view });
    }

    pub fn remove_server(&self, id: &ServerId) {
        let mut state = self.lock();
        state.order.retain(|known| known != id);
        if state.servers.remove(id).is_some() {
            let id = id.clone();
            self.publish(&mut state, |revision| Event::ServerRemoved { revision, id });
        }
    }

    /// The file is good: its order and warnings hold.
    pub fn change_config(&self, order: Vec<ServerId>, config: ConfigView) {
        let mut state = self.lock();
        if state.order == order && state.config == config {
            return;
        }
        state.order.clone_from(&order);
        state.config = config.clone();
        self.publish(&mut state, |revision| Event::ConfigChanged { revision, order, config });
    }

    /// The file is broken: what was known stays.
    pub fn reject_config(&self, config: ConfigView) {
        let mut state = self.lock();
        if state.config == config {
            return;
        }
        state.config = config.clone();
        self.publish(&mut state, |revision| Event::ConfigRejected { revision, config });
    }

    pub fn change_secret_store(&self, secret_store: SecretStoreView) {
        let mut state = self.lock();
        if state.secret_store == secret_store {
            return;
        }
        state.secret_store = secret_store.clone();
        self.publish(&mut state, |revision| Event::SecretStoreChanged { revision, secret_store });
    }

    pub fn is_paused(&self) -> bool {
        self.lock().paused
    }

    /// Answers whether that is new.
    pub fn change_paused(&self, paused: bool) -> bool {
        let mut state = self.lock();
        if state.paused == paused {
            return false;
        }
        state.paused = paused;
        self.publish(&mut state, |revision| Event::PausedChanged { revision, paused });
        true
    }

    pub fn change_resources(&self, id: &ServerId) {
        let id = id.clone();
        self.publish(&mut self.lock(), |revision| Event::ResourcesChanged { revision, id });
    }

    pub fn change_prompts(&self, id: &ServerId) {
        let id = id.clone();
        self.publish(&mut self.lock(), |revision| Event::PromptsChanged { revision, id });
    }

    pub fn change_tools(&self, id: &ServerId) {
        let id = id.clone();
        self.publish(&mut self.lock(), |revision| Event::ToolsChanged { revision, id });
    }

    pub fn progress_call(&self, call: &str, progress: f64, total: Option<f64>, message: Option<String>) {
        let call = call.to_owned();
        self.publish(&mut self.lock(), |revision| Event::CallProgressed {
            revision,
            call,
            progress,
            total,
            message,
        });
    }

    pub fn request_elicitation(&self, elicitation: ElicitationView) {
        let mut state = self.lock();
        state.elicitations.push(elicitation.clone());
        self.publish(&mut state, |revision| Event::ElicitationRequested { revision, elicitation });
    }

    pub fn end_elicitation(&self, id: &str) {
        let mut state = self.lock();
        let before = state.elicitations.len();
        state.elicitations.retain(|elicitation| elicitation.id != id);
        if state.elicitations.len() < before {
            let id = id.to_owned();
            self.publish(&mut state, |revision| Event::ElicitationEnded { revision, id });
        }
    }

    /// Sent while the state is held, so that revisions leave in order. Nobody listening is fine.
    fn publish(&self, state: &mut State, event: impl FnOnce(Revision) -> Event) {
        state.revision += 1;
        let _ = self.events.send(event(Revision(state.revision)));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
