//! The engine's public state: the snapshot and the stream of events, numbered by one revision.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::broadcast;
use usher_api::{
    ConfigChangesView, ConfigView, ElicitationView, ErrorView, Event, Revision, SecretStoreView, ServerId,
    ServerView, Snapshot,
};
use usher_config::display_text;

use crate::caller::CallerId;
use crate::events::{Events, Published};

/// The number of events after which a slow reader must take a new snapshot.
const BACKLOG: usize = 1024;

/// The only writer of the public state, so that an event and the snapshot of its revision agree.
#[derive(Debug)]
pub(crate) struct Board {
    state: Mutex<State>,
    events: broadcast::Sender<Published>,
}

#[derive(Debug)]
struct State {
    revision: u64,
    order: Vec<ServerId>,
    servers: HashMap<ServerId, ServerView>,
    /// Each server's own name. Two servers may have the same name.
    names: HashMap<ServerId, String>,
    config: ConfigView,
    secret_store: SecretStoreView,
    paused: bool,
    /// Each question with its addressee.
    elicitations: Vec<(CallerId, ElicitationView)>,
}

impl Board {
    pub fn new(config: ConfigView, secret_store: SecretStoreView) -> Self {
        let state = State {
            revision: 0,
            order: Vec::new(),
            servers: HashMap::new(),
            names: HashMap::new(),
            config,
            secret_store,
            paused: false,
            elicitations: Vec::new(),
        };
        Self { state: Mutex::new(state), events: broadcast::channel(BACKLOG).0 }
    }

    pub fn subscribe(&self, caller: CallerId) -> Events {
        Events::new(self.events.subscribe(), caller)
    }

    pub fn snapshot(&self, caller: CallerId) -> Snapshot {
        let state = self.lock();
        Snapshot {
            revision: Revision(state.revision),
            servers: state.order.iter().filter_map(|id| state.servers.get(id)).cloned().collect(),
            config: state.config.clone(),
            secret_store: state.secret_store.clone(),
            paused: state.paused,
            elicitations: {
                let own = state.elicitations.iter().filter(|(addressee, _)| *addressee == caller);
                own.map(|(_, elicitation)| elicitation.clone()).collect()
            },
        }
    }

    pub fn server(&self, id: &ServerId) -> Option<ServerView> {
        self.lock().servers.get(id).cloned()
    }

    /// Returns the displayed name of a server.
    pub fn name_of(&self, id: &ServerId) -> String {
        self.server(id).map_or_else(|| display_text(&id.0, 100), |view| view.name)
    }

    /// Publishes a server's view if it changed. If several servers have the same name, each server's id is added to its
    /// name.
    pub fn change_server(&self, view: ServerView) {
        let mut state = self.lock();
        let (id, name) = (view.id.clone(), view.name.clone());
        if !state.order.contains(&id) {
            state.order.push(id.clone());
        }
        let before = state.names.insert(id.clone(), name.clone());
        self.show(&mut state, view);
        if before.as_ref() != Some(&name) {
            self.rename(&mut state, &name);
            before.iter().for_each(|before| self.rename(&mut state, before));
        }
    }

    pub fn remove_server(&self, id: &ServerId) {
        let mut state = self.lock();
        state.order.retain(|known| known != id);
        let name = state.names.remove(id);
        if state.servers.remove(id).is_some() {
            let id = id.clone();
            self.publish(&mut state, |revision| Event::ServerRemoved { revision, id });
        }
        name.iter().for_each(|name| self.rename(&mut state, name));
    }

    fn show(&self, state: &mut State, view: ServerView) {
        let view = ServerView { name: state.name_of(&view.id), ..view };
        if state.servers.get(&view.id) != Some(&view) {
            state.servers.insert(view.id.clone(), view.clone());
            self.publish(state, |revision| Event::ServerChanged { revision, view });
        }
    }

    /// Publishes all servers of this name again, after a server took or gave up the name.
    fn rename(&self, state: &mut State, name: &str) {
        let called = state.order.iter().filter(|id| state.names.get(id).is_some_and(|called| called == name));
        let views: Vec<_> = called.filter_map(|id| state.servers.get(id)).cloned().collect();
        for view in views {
            self.show(state, view);
        }
    }

    /// Applies the order and the warnings of a valid file.
    pub fn change_config(&self, order: Vec<ServerId>, config: ConfigView) {
        let mut state = self.lock();
        if state.order == order && state.config == config {
            return;
        }
        state.order.clone_from(&order);
        state.config = config.clone();
        self.publish(&mut state, |revision| Event::ConfigChanged { revision, order, config });
    }

    /// Publishes the summary of a new file, unless it changes nothing.
    pub fn config_reloaded(&self, changes: ConfigChangesView) {
        if !changes.is_empty() {
            self.publish(&mut self.lock(), |revision| Event::ConfigReloaded { revision, changes });
        }
    }

    /// Publishes the error of an invalid file. The servers keep running.
    pub fn reject_config(&self, config: ConfigView) {
        let mut state = self.lock();
        if state.config == config {
            return;
        }
        state.config = config.clone();
        self.publish(&mut state, |revision| Event::ConfigRejected { revision, config });
    }

    /// Publishes the view if it changed, and returns the previous one.
    pub fn change_secret_store(&self, secret_store: SecretStoreView) -> SecretStoreView {
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.secret_store, secret_store.clone());
        if before != secret_store {
            self.publish(&mut state, |revision| Event::SecretStoreChanged { revision, secret_store });
        }
        before
    }

    pub fn secret_store_error(&self) -> Option<ErrorView> {
        self.lock().secret_store.error().cloned()
    }

    pub fn is_paused(&self) -> bool {
        self.lock().paused
    }

    /// Sets whether all servers are paused. Returns whether this changed.
    pub fn change_paused(&self, paused: bool) -> bool {
        let mut state = self.lock();
        if state.paused == paused {
            return false;
        }
        state.paused = paused;
        self.publish(&mut state, |revision| Event::PausedChanged { revision, paused });
        true
    }

    pub fn resources_changed(&self, id: &ServerId) {
        let id = id.clone();
        self.publish(&mut self.lock(), |revision| Event::ResourcesChanged { revision, id });
    }

    pub fn prompts_changed(&self, id: &ServerId) {
        let id = id.clone();
        self.publish(&mut self.lock(), |revision| Event::PromptsChanged { revision, id });
    }

    pub fn tools_changed(&self, id: &ServerId) {
        let id = id.clone();
        self.publish(&mut self.lock(), |revision| Event::ToolsChanged { revision, id });
    }

    pub fn call_progressed(
        &self,
        caller: CallerId,
        call: &str,
        progress: f64,
        total: Option<f64>,
        message: Option<String>,
    ) {
        let call = call.to_owned();
        self.publish_to(Some(caller), &mut self.lock(), |revision| Event::CallProgressed {
            revision,
            call,
            progress,
            total,
            message,
        });
    }

    pub fn call_waits_for_answer(&self, caller: CallerId, call: &str, expires_at: Timestamp) {
        let call = call.to_owned();
        let event = |revision| Event::CallWaitsForAnswer { revision, call, expires_at };
        self.publish_to(Some(caller), &mut self.lock(), event);
    }

    pub fn request_elicitation(&self, caller: CallerId, elicitation: ElicitationView) {
        let mut state = self.lock();
        state.elicitations.push((caller, elicitation.clone()));
        let event = |revision| Event::ElicitationRequested { revision, elicitation };
        self.publish_to(Some(caller), &mut state, event);
    }

    pub fn end_elicitation(&self, id: &str) {
        let mut state = self.lock();
        let position = state.elicitations.iter().position(|(_, elicitation)| elicitation.id == id);
        if let Some(position) = position {
            let (caller, ElicitationView { id, .. }) = state.elicitations.remove(position);
            self.publish_to(Some(caller), &mut state, |revision| Event::ElicitationEnded { revision, id });
        }
    }

    fn publish(&self, state: &mut State, event: impl FnOnce(Revision) -> Event) {
        self.publish_to(None, state, event);
    }

    /// Sends while the state is locked, so that revisions are sent in order.
    fn publish_to(
        &self,
        recipient: Option<CallerId>,
        state: &mut State,
        event: impl FnOnce(Revision) -> Event,
    ) {
        state.revision += 1;
        let _ = self.events.send(Published { event: event(Revision(state.revision)), recipient });
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns a server's name. If another server has the same name, the id follows, unless it equals the name.
    fn name_of(&self, id: &ServerId) -> String {
        let name = self.names.get(id).unwrap_or(&id.0);
        let is_shared = self.names.iter().any(|(other, called)| other != id && called == name);
        if is_shared && *name != id.0 {
            format!("{name} ({})", display_text(&id.0, 100))
        } else {
            name.clone()
        }
    }
}
