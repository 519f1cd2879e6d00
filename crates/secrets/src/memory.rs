//! The memory store, which is lost when the program ends.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::item::Item;
use crate::secret::{Condition, Secret};

#[derive(Default)]
pub(crate) struct MemoryBackend {
    items: Mutex<BTreeMap<String, Secret>>,
}

impl MemoryBackend {
    pub fn get(&self, item: &Item) -> Option<Secret> {
        self.items().get(item.user()).cloned()
    }

    pub fn put(&self, item: &Item, secret: Secret) {
        self.items().insert(item.user().to_owned(), secret);
    }

    pub fn delete(&self, item: &Item, condition: Option<Condition>) -> bool {
        let mut items = self.items();
        let Some(secret) = items.get(item.user()) else { return false };
        let is_met = condition.is_none_or(|condition| condition(secret));
        is_met && items.remove(item.user()).is_some()
    }

    pub fn list(&self) -> Vec<String> {
        self.items().keys().cloned().collect()
    }

    fn items(&self) -> MutexGuard<'_, BTreeMap<String, Secret>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
