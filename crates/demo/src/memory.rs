//! Helpers for the state that the request handlers share: locks, and queues of limited size.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex, even if a request handler has panicked while it held the lock.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Adds an entry. If there are already `capacity` entries, drops the oldest one.
pub(crate) fn push<T>(entries: &mut VecDeque<T>, entry: T, capacity: usize) {
    if entries.len() == capacity {
        entries.pop_front();
    }
    entries.push_back(entry);
}
