//! The tool calls that run, by the names their callers gave them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<HashMap<String, CancellationToken>>);

/// A call that runs, until it is dropped.
pub(crate) struct RunningCall {
    calls: Arc<Calls>,
    name: String,
}

impl Calls {
    /// An error where a call of this name runs.
    pub fn begin(self: &Arc<Self>, name: &str, cancel: CancellationToken) -> Result<RunningCall, ()> {
        let mut calls = self.lock();
        if calls.contains_key(name) {
            return Err(());
        }
        calls.insert(name.to_owned(), cancel);
        Ok(RunningCall { calls: Arc::clone(self), name: name.to_owned() })
    }

    pub fn cancel(&self, name: &str) {
        if let Some(cancel) = self.lock().get(name) {
            cancel.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        self.calls.lock().remove(&self.name);
    }
}
