//! The tool calls that run, by the names their callers gave them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::caller::CallerId;

/// Two callers may use the same name.
type Key = (CallerId, String);

#[derive(Debug, Default)]
pub(crate) struct Calls(Mutex<HashMap<Key, CancellationToken>>);

/// A call that runs, until it is dropped.
pub(crate) struct RunningCall {
    calls: Arc<Calls>,
    key: Key,
}

impl Calls {
    /// An error where a call of this name runs.
    pub fn begin(
        self: &Arc<Self>,
        caller: CallerId,
        name: &str,
        cancel: CancellationToken,
    ) -> Result<RunningCall, ()> {
        let mut calls = self.lock();
        let key = (caller, name.to_owned());
        if calls.contains_key(&key) {
            return Err(());
        }
        calls.insert(key.clone(), cancel);
        Ok(RunningCall { calls: Arc::clone(self), key })
    }

    pub fn cancel(&self, caller: CallerId, name: &str) {
        if let Some(cancel) = self.lock().get(&(caller, name.to_owned())) {
            cancel.cancel();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        self.calls.lock().remove(&self.key);
    }
}
