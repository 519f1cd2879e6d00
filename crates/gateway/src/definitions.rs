//! The last known definitions of every server: its introduction and its lists. Clients get their lists from here at
//! once, also while a server is unreachable or needs a sign-in.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::broadcast;
use tokio::time::timeout;
use usher_api::{Event, ServerId, Status};
use usher_engine::{Engine, Introduction, ListName};

/// Changes that wait for a client that does not keep up.
const BACKLOG: usize = 256;
/// How long a client waits for a list that is not known yet. Some clients give up after five seconds.
const FIRST_LIST: Duration = Duration::from_secs(4);

/// The items of a list, each as the JSON text that the server sent.
pub(crate) type Items = Arc<Vec<Bytes>>;

/// A list that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// `None` if the servers of a target may have changed.
    pub server: Option<ServerId>,
    pub list: ListName,
}

/// The definitions, shared by all clients.
#[derive(Clone, Debug)]
pub(crate) struct Definitions(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The lists that a client has asked for. `None` if the server has not sent the list yet.
    lists: Mutex<HashMap<(ServerId, ListName), Option<Items>>>,
    introductions: Mutex<HashMap<ServerId, Introduction>>,
    changes: broadcast::Sender<Change>,
}

impl Definitions {
    pub fn new() -> Self {
        let (changes, _) = broadcast::channel(BACKLOG);
        Self(Arc::new(Inner { lists: Mutex::default(), introductions: Mutex::default(), changes }))
    }

    /// Subscribes to the changes of all servers' lists.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Returns a list as it is known, or `None` if the server never sent it.
    fn known(&self, server: &ServerId, list: ListName) -> Option<Items> {
        lock(&self.0.lists).entry((server.clone(), list)).or_default().clone()
    }

    /// Returns the introduction of a server, or `None` if it never connected. Does not wait for the server.
    pub async fn introduction(&self, engine: &Engine, server: &ServerId) -> Option<Introduction> {
        let is_connected =
            engine.server(server).is_some_and(|view| matches!(view.status, Status::Connected { .. }));
        if is_connected && let Ok(introduction) = engine.introduction(server).await {
            lock(&self.0.introductions).insert(server.clone(), introduction);
        }
        lock(&self.0.introductions).get(server).cloned()
    }

    /// Returns a list. If it is not known, waits a short time for the server. Empty if the server does not respond.
    pub async fn list(&self, engine: &Engine, server: &ServerId, list: ListName) -> Items {
        if let Some(known) = self.known(server, list) {
            return known;
        }
        let fetched = timeout(FIRST_LIST, self.fetch(engine, server, list)).await;
        fetched.ok().flatten().unwrap_or_default()
    }

    /// Follows the engine's events until the engine ends.
    pub async fn follow(self, engine: Engine) {
        let mut events = engine.subscribe();
        let mut disabled = HashSet::new();
        loop {
            let (server, lists): (_, &[ListName]) = match events.recv().await {
                Ok(Event::ToolsChanged { id, .. }) => (id, &[ListName::Tools]),
                Ok(Event::ResourcesChanged { id, .. }) => {
                    (id, &[ListName::Resources, ListName::ResourceTemplates])
                }
                Ok(Event::PromptsChanged { id, .. }) => (id, &[ListName::Prompts]),
                Ok(Event::ServerRemoved { id, .. }) => {
                    self.forget(&id);
                    continue;
                }
                Ok(Event::ConfigChanged { .. } | Event::ConfigReloaded { .. }) => {
                    self.announce_targets();
                    continue;
                }
                Ok(Event::ServerChanged { view, .. }) => {
                    let is_disabled = view.status == Status::Disabled;
                    let was_disabled = disabled.contains(&view.id);
                    if is_disabled != was_disabled {
                        if is_disabled {
                            disabled.insert(view.id);
                        } else {
                            disabled.remove(&view.id);
                        }
                        self.announce_targets();
                    }
                    continue;
                }
                Ok(_) => continue,
                Err(broadcast::error::RecvError::Lagged(_)) => {
                    self.fetch_all(&engine);
                    continue;
                }
                Err(broadcast::error::RecvError::Closed) => return,
            };
            self.fetch_in_background(&engine, &server, lists);
        }
    }

    /// Updates all lists that a client has asked for.
    fn fetch_all(&self, engine: &Engine) {
        let wanted: Vec<_> = lock(&self.0.lists).keys().cloned().collect();
        for (server, list) in wanted {
            self.fetch_in_background(engine, &server, &[list]);
        }
    }

    fn fetch_in_background(&self, engine: &Engine, server: &ServerId, lists: &[ListName]) {
        let (definitions, engine, server, lists) =
            (self.clone(), engine.clone(), server.clone(), lists.to_vec());
        tokio::spawn(async move {
            for list in lists {
                // The tools of a new server are news for the clients of all servers.
                let is_wanted = lock(&definitions.0.lists).contains_key(&(server.clone(), list));
                if is_wanted || list == ListName::Tools {
                    definitions.fetch(&engine, &server, list).await;
                }
            }
        });
    }

    /// Gets a list from its server, and announces it if it changed. Returns `None` if the server does not respond.
    async fn fetch(&self, engine: &Engine, server: &ServerId, list: ListName) -> Option<Items> {
        let items = match engine.relay_list(server, list).await {
            Ok(items) => Arc::new(items),
            Err(error) => {
                tracing::debug!(error = error.message, "could not get a list for the clients");
                return None;
            }
        };
        self.introduction(engine, server).await;
        let previous = lock(&self.0.lists).insert((server.clone(), list), Some(Arc::clone(&items)));
        if previous.flatten().is_none_or(|previous| previous != items) {
            // Fails if there is no client.
            let _ = self.0.changes.send(Change { server: Some(server.clone()), list });
        }
        Some(items)
    }

    /// Announces that the servers of a target may have changed.
    fn announce_targets(&self) {
        for list in ListName::ALL {
            let _ = self.0.changes.send(Change { server: None, list });
        }
    }

    fn forget(&self, server: &ServerId) {
        lock(&self.0.introductions).remove(server);
        let mut lists = lock(&self.0.lists);
        let forgotten: Vec<_> = lists.keys().filter(|(known, _)| known == server).cloned().collect();
        for key in forgotten {
            lists.insert(key.clone(), None);
            let _ = self.0.changes.send(Change { server: None, list: key.1 });
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
