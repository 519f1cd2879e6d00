//! The running servers: one task for each selected entry of `mcp.json`.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::join_all;
use usher_api::{ConfigChangesView, ErrorView, ServerId, Status};
use usher_config::{Config, Group};

use crate::context::Context;
use crate::server::broken_entry;
use crate::server::handle::ServerHandle;
use crate::server::message::Message;
use crate::words;

pub(crate) struct Servers {
    handles: Mutex<HashMap<ServerId, Arc<ServerHandle>>>,
    /// The selected entries with an error. They have no task.
    broken: Mutex<HashMap<ServerId, ErrorView>>,
    /// The servers to run; `None` means all. A server is never removed from the selection.
    selected: Mutex<Option<HashSet<ServerId>>>,
    /// The groups of the file.
    groups: Mutex<Vec<Group>>,
    /// Held while the set of servers changes.
    pub changing: tokio::sync::Mutex<()>,
}

impl Servers {
    pub fn new(selected: Option<Vec<ServerId>>) -> Self {
        Self {
            handles: Mutex::default(),
            broken: Mutex::default(),
            selected: Mutex::new(selected.map(HashSet::from_iter)),
            groups: Mutex::default(),
            changing: tokio::sync::Mutex::default(),
        }
    }

    pub fn get(&self, id: &ServerId) -> Option<Arc<ServerHandle>> {
        self.handles().get(id).cloned()
    }

    /// Returns the error of an entry that does not run because of it.
    pub fn entry_error(&self, id: &ServerId) -> Option<ErrorView> {
        self.broken().get(id).cloned()
    }

    /// Returns the servers of a group.
    pub fn group(&self, name: &str) -> Option<Vec<ServerId>> {
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let group = groups.iter().find(|group| group.name == name)?;
        Some(group.servers.iter().cloned().map(ServerId).collect())
    }

    pub fn ids(&self) -> Vec<ServerId> {
        self.handles().keys().cloned().collect()
    }

    pub fn all(&self) -> Vec<Arc<ServerHandle>> {
        self.handles().values().cloned().collect()
    }

    pub fn take_all(&self) -> Vec<Arc<ServerHandle>> {
        self.handles().drain().map(|(_, handle)| handle).collect()
    }

    pub fn send_all(&self, message: impl Fn() -> Message) {
        for handle in self.handles().values() {
            handle.send(message());
        }
    }

    /// Records that the secrets of the connected servers are used now.
    pub fn record_secret_uses(&self, context: &Context) {
        for (id, handle) in &*self.handles() {
            let view = context.board.server(id);
            if view.is_some_and(|view| matches!(view.status, Status::Connected { .. })) {
                let secrets = handle.config.secrets();
                secrets.iter().for_each(|secret| context.placeholders.last_uses.record(&secret.name));
            }
        }
    }

    /// Adds servers to the selection; `None` selects all. Returns whether the selection changed.
    pub fn select(&self, servers: Option<&[ServerId]>) -> bool {
        let mut selected = self.selected();
        let Some(known) = selected.as_mut() else { return false };
        let Some(servers) = servers else {
            *selected = None;
            return true;
        };
        let before = known.len();
        known.extend(servers.iter().cloned());
        known.len() > before
    }

    /// Starts and stops servers according to the file. A server whose entry did not change keeps running. A server whose
    /// entry has an error is stopped and shown with the error; its grant and secrets are kept.
    /// Returns what changed, without the untouched examples of a new file.
    pub async fn reconcile(&self, context: &Arc<Context>, path: &Path, config: Config) -> ConfigChangesView {
        let mut changes = ConfigChangesView::default();
        if context.stopping.is_cancelled() {
            return changes;
        }
        context.placeholders.adopt(&config).await;
        self.groups.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&config.groups);
        let view = words::config::view(path, Ok(&config));
        let ids = config.entries().map(|entry| ServerId(entry.name().to_owned()));
        let order: Vec<_> = ids.filter(|id| self.is_selected(id)).collect();
        let broken: Vec<_> =
            config.broken.iter().map(broken_entry::view).filter(|view| self.is_selected(&view.id)).collect();
        let errors = broken.iter().filter_map(|view| Some((view.id.clone(), view.last_error.clone()?)));
        let were_broken = std::mem::replace(&mut *self.broken(), errors.collect());
        let entries: Vec<_> = config
            .servers
            .into_iter()
            .map(|server| (ServerId(server.name.clone()), server))
            .filter(|(id, _)| self.is_selected(id))
            .collect();
        let stopping: Vec<_> = {
            let mut handles = self.handles();
            let unchanged: HashMap<_, _> = handles
                .extract_if(|id, handle| {
                    entries.iter().any(|(name, config)| name == id && *config == handle.config)
                })
                .collect();
            std::mem::replace(&mut *handles, unchanged).into_iter().collect()
        };
        join_all(stopping.iter().map(|(_, handle)| handle.stop())).await;
        for id in stopping.iter().map(|(id, _)| id).chain(were_broken.keys()) {
            if !order.contains(id) {
                if !context.board.server(id).is_some_and(|view| view.is_example) {
                    changes.removed.push(context.board.name_of(id));
                }
                context.board.remove_server(id);
            }
        }
        changes.removed.sort();
        for view in broken {
            let id = view.id.clone();
            context.board.change_server(view);
            if !were_broken.contains_key(&id) {
                changes.failed.push(context.board.name_of(&id));
            }
        }
        for (id, server) in entries {
            let mut handles = self.handles();
            if handles.contains_key(&id) || context.stopping.is_cancelled() {
                continue;
            }
            let is_example = server.is_example();
            handles.insert(id.clone(), Arc::new(ServerHandle::start(server, Arc::clone(context))));
            if is_example {
                continue;
            }
            let existed = were_broken.contains_key(&id) || stopping.iter().any(|(stopped, _)| *stopped == id);
            let list = if existed { &mut changes.changed } else { &mut changes.added };
            list.push(context.board.name_of(&id));
        }
        context.board.change_config(order, view);
        changes
    }

    fn is_selected(&self, id: &ServerId) -> bool {
        self.selected().as_ref().is_none_or(|selected| selected.contains(id))
    }

    fn handles(&self) -> MutexGuard<'_, HashMap<ServerId, Arc<ServerHandle>>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> MutexGuard<'_, HashMap<ServerId, ErrorView>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn selected(&self) -> MutexGuard<'_, Option<HashSet<ServerId>>> {
        self.selected.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
