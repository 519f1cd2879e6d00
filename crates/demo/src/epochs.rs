//! Counters that invalidate everything issued so far at once.

use std::sync::atomic::{AtomicU64, Ordering};

/// The current epochs. A client or token contains the epoch of its kind, and is rejected if that is no longer current.
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

    pub(crate) fn forget_clients(&self) {
        self.clients.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn revoke_access(&self) {
        self.access.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn revoke_refresh(&self) {
        self.refresh.fetch_add(1, Ordering::SeqCst);
    }
}
