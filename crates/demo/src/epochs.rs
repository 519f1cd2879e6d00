//! Counters that invalidate all clients or tokens issued so far.

use std::sync::atomic::{AtomicU64, Ordering};

/// The current epochs. Each client or token contains the epoch of its kind. It is rejected if its epoch has ended.
#[derive(Default)]
pub(crate) struct Epochs {
    pub(crate) clients: Epoch,
    pub(crate) access: Epoch,
    pub(crate) refresh: Epoch,
}

#[derive(Default)]
pub(crate) struct Epoch(AtomicU64);

impl Epoch {
    pub(crate) fn current(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn end(&self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}
