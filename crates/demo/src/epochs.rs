//! Counters by which everything issued so far can be made worthless at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// What is issued carries the epoch of its kind; what carries an older one is no longer taken.
#[derive(Default)]
pub(crate) struct Epochs {
    clients: AtomicU64,
    access: AtomicU64,
    refresh: AtomicU64,
}

impl Epochs {
    pub(crate) fn clients(&self) -> u64 {
        self.clients.load(Ordering::SeqCst)
    }

    pub(crate) fn access(&self) -> u64 {
        self.access.load(Ordering::SeqCst)
    }

    pub(crate) fn refresh(&self) -> u64 {
        self.refresh.load(Ordering::SeqCst)
    }

    pub(crate) fn end_clients(&self) {
        self.clients.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn end_access(&self) {
        self.access.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn end_refresh(&self) {
        self.refresh.fetch_add(1, Ordering::SeqCst);
    }
}
