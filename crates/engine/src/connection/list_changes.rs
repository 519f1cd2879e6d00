//! The lists that a server reported as changed.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum List {
    Tools,
    Resources,
    Prompts,
}

/// Changes noted by several writers and taken by one reader.
#[derive(Debug, Default)]
pub(crate) struct ListChanges {
    lists: Mutex<BTreeSet<List>>,
    noted: Notify,
}

impl ListChanges {
    pub fn note(&self, list: List) {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).insert(list);
        self.noted.notify_one();
    }

    /// Waits for a change.
    pub async fn wait_for_change(&self) {
        self.noted.notified().await;
    }

    pub fn take(&self) -> BTreeSet<List> {
        std::mem::take(&mut *self.lists.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
