//! The running tool calls, by the names that their callers gave them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::caller::CallerId;

/// A name is unique only among the calls of one caller.
type Key = (CallerId, String);

#[derive(Debug, Default)]
pub(crate) struct RunningCalls(Mutex<HashMap<Key, CancellationToken>>);

/// The entry of a running call. Dropping it removes the entry.
pub(crate) struct RunningCall {
    calls: Arc<RunningCalls>,
    key: Key,
}

/// The error for a name that another running call of the caller already has.
#[derive(Debug)]
pub(crate) struct NameInUse;

impl RunningCalls {
    pub fn begin(
        self: &Arc<Self>,
        caller: CallerId,
        name: &str,
        cancel: CancellationToken,
    ) -> Result<RunningCall, NameInUse> {
        let mut calls = self.lock();
        let key = (caller, name.to_owned());
        if calls.contains_key(&key) {
            return Err(NameInUse);
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
