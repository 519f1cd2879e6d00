//! The last known definitions of every server: its introduction and its lists. Clients get their lists from here at
//! once, also while a server is unreachable or needs a sign-in.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::timeout;
use usher_api::{Event, ServerId, Status};
use usher_engine::{Engine, Introduction, ListName};

use crate::definition_files::{DefinitionFiles, Items, StoredDefinitions};

/// Changes that wait for a client that does not keep up.
const BACKLOG: usize = 256;
/// How long a client waits for a list that is not known yet. Some clients give up after five seconds.
const FIRST_LIST: Duration = Duration::from_secs(4);

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
    servers: Mutex<HashMap<ServerId, Known>>,
    files: DefinitionFiles,
    /// Held while a server's file is read or written, so that the newest definitions are written last.
    files_in_use: tokio::sync::Mutex<()>,
    changes: broadcast::Sender<Change>,
}

/// The definitions of one server.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The endpoint that the definitions belong to.
    endpoint: String,
    introduction: Introduction,
    lists: BTreeMap<ListName, Items>,
    /// The lists that a client has asked for.
    wanted: BTreeSet<ListName>,
}

impl Definitions {
    pub fn new(files: DefinitionFiles) -> Self {
        let (changes, _) = broadcast::channel(BACKLOG);
        let (servers, files_in_use) = (Mutex::default(), tokio::sync::Mutex::default());
        Self(Arc::new(Inner { servers, files, files_in_use, changes }))
    }

    /// Subscribes to the changes of all servers' lists.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.0.changes.subscribe()
    }

    /// Returns a list. If it is not known, waits a short time for the server. Empty if the server does not respond.
    pub async fn list(&self, engine: &Engine, server: &ServerId, list: ListName) -> Items {
        self.load(engine, server).await;
        let known = {
            let mut servers = self.servers();
            let known = servers.entry(server.clone()).or_default();
            known.wanted.insert(list);
            known.lists.get(&list).cloned()
        };
        match known {
            Some(items) => items,
            None => {
                timeout(FIRST_LIST, self.fetch(engine, server, list)).await.ok().flatten().unwrap_or_default()
            }
        }
    }

    /// Returns the introduction of a server, or `None` if it never connected. Does not wait for the server.
    pub async fn introduction(&self, engine: &Engine, server: &ServerId) -> Option<Introduction> {
        self.load(engine, server).await;
        if let Some(introduction) = current_introduction(engine, server).await {
            return Some(introduction);
        }
        self.servers().get(server).map(|known| known.introduction.clone())
    }

    /// Follows the engine's events until the engine ends.
    pub async fn follow(self, engine: Engine) {
        let mut events = engine.subscribe();
        let mut disabled = HashSet::new();
        loop {
            match events.recv().await {
                Ok(Event::ToolsChanged { id, .. }) => {
                    self.fetch_in_background(&engine, &id, &[ListName::Tools])
                }
                Ok(Event::ResourcesChanged { id, .. }) => {
                    let lists = [ListName::Resources, ListName::ResourceTemplates];
                    self.fetch_in_background(&engine, &id, &lists);
                }
                Ok(Event::PromptsChanged { id, .. }) => {
                    self.fetch_in_background(&engine, &id, &[ListName::Prompts]);
                }
                Ok(Event::ServerRemoved { id, .. }) => {
                    self.servers().remove(&id);
                    self.0.files.remove(&id).await;
                    self.announce_targets();
                }
                Ok(Event::ConfigChanged { .. } | Event::ConfigReloaded { .. }) => self.announce_targets(),
                Ok(Event::ServerChanged { view, .. }) => {
                    let has_changed = match view.status {
                        Status::Disabled => disabled.insert(view.id),
                        _ => disabled.remove(&view.id),
                    };
                    if has_changed {
                        self.announce_targets();
                    }
                }
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => {
                    let servers: Vec<_> = self.servers().keys().cloned().collect();
                    for server in servers {
                        self.fetch_in_background(&engine, &server, &ListName::ALL);
                    }
                    self.announce_targets();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// Reads the definitions of a server's present endpoint, unless they are known.
    async fn load(&self, engine: &Engine, server: &ServerId) {
        let Some(endpoint) = engine.endpoint_of(server) else { return };
        let is_known = || self.servers().get(server).is_some_and(|known| known.endpoint == endpoint);
        if is_known() {
            return;
        }
        let _files_in_use = self.0.files_in_use.lock().await;
        let stored = self.0.files.read(server, &endpoint).await;
        let was_stored = stored.is_some();
        if !is_known() {
            let StoredDefinitions { introduction, lists } = stored.unwrap_or_default();
            let mut servers = self.servers();
            let wanted = servers.remove(server).map(|known| known.wanted).unwrap_or_default();
            servers.insert(server.clone(), Known { endpoint, introduction, lists, wanted });
        }
        if was_stored {
            // They may be out of date.
            self.fetch_in_background(engine, server, &ListName::ALL);
        }
    }

    fn fetch_in_background(&self, engine: &Engine, server: &ServerId, lists: &[ListName]) {
        let (definitions, engine, server, lists) =
            (self.clone(), engine.clone(), server.clone(), lists.to_vec());
        tokio::spawn(async move {
            for list in lists {
                let is_wanted =
                    definitions.servers().get(&server).is_some_and(|known| known.wanted.contains(&list));
                // The tools of a new server are news for the clients of all servers.
                if is_wanted || list == ListName::Tools {
                    definitions.fetch(&engine, &server, list).await;
                }
            }
        });
    }

    /// Gets a list from its server, and announces it if it changed. Returns `None` if the server does not respond.
    async fn fetch(&self, engine: &Engine, server: &ServerId, list: ListName) -> Option<Items> {
        let endpoint = engine.endpoint_of(server)?;
        let items = match engine.relay_list(server, list).await {
            Ok(items) => Arc::new(items),
            Err(error) => {
                tracing::debug!(error = error.message, "could not get a list for the clients");
                return None;
            }
        };
        let introduction = current_introduction(engine, server).await.unwrap_or_default();
        let _files_in_use = self.0.files_in_use.lock().await;
        let changed = {
            let mut servers = self.servers();
            let known = servers.entry(server.clone()).or_default();
            if known.endpoint != endpoint {
                *known =
                    Known { endpoint: endpoint.clone(), wanted: known.wanted.clone(), ..Known::default() };
            }
            known.introduction = introduction.clone();
            let previous = known.lists.insert(list, Arc::clone(&items));
            let has_changed = previous.is_none_or(|previous| previous != items);
            has_changed.then(|| StoredDefinitions { introduction, lists: known.lists.clone() })
        };
        if let Some(definitions) = changed {
            // Fails if there is no client.
            let _ = self.0.changes.send(Change { server: Some(server.clone()), list });
            if let Err(error) = self.0.files.write(server, &endpoint, definitions).await {
                tracing::warn!(%error, "could not store the lists of a server");
            }
        }
        Some(items)
    }

    /// Announces that the servers of a target may have changed.
    fn announce_targets(&self) {
        for list in ListName::ALL {
            let _ = self.0.changes.send(Change { server: None, list });
        }
    }

    fn servers(&self) -> MutexGuard<'_, HashMap<ServerId, Known>> {
        self.0.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the introduction of a server that is connected.
async fn current_introduction(engine: &Engine, server: &ServerId) -> Option<Introduction> {
    let is_connected =
        engine.server(server).is_some_and(|view| matches!(view.status, Status::Connected { .. }));
    if is_connected { engine.introduction(server).await.ok() } else { None }
}
