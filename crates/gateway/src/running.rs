//! The running requests of one client.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

/// The most requests that one client may run at a time.
const MAX_RUNNING: usize = 256;

/// The requests, by the JSON text of their ids.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunningRequests(Arc<Mutex<HashMap<String, CancellationToken>>>);

/// A running request. Dropping it ends the entry.
#[derive(Debug)]
pub(crate) struct RunningRequest {
    requests: RunningRequests,
    id: String,
    pub cancelled: CancellationToken,
}

/// The reason why a request cannot run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CannotRun {
    IdInUse,
    TooMany,
}

impl RunningRequests {
    pub fn begin(&self, id: &str) -> Result<RunningRequest, CannotRun> {
        let mut running = self.lock();
        if running.len() >= MAX_RUNNING {
            return Err(CannotRun::TooMany);
        }
        if running.contains_key(id) {
            return Err(CannotRun::IdInUse);
        }
        let cancelled = CancellationToken::new();
        running.insert(id.to_owned(), cancelled.clone());
        Ok(RunningRequest { requests: self.clone(), id: id.to_owned(), cancelled })
    }

    /// Cancels a request. A client may cancel one that has ended meanwhile.
    pub fn cancel(&self, id: &str) {
        if let Some(cancelled) = self.lock().get(id) {
            cancelled.cancel();
        }
    }

    pub fn cancel_all(&self) {
        self.lock().values().for_each(CancellationToken::cancel);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for RunningRequest {
    fn drop(&mut self) {
        self.requests.lock().remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_used_once_at_a_time_and_the_requests_are_limited() {
        let requests = RunningRequests::default();
        let first = requests.begin("1").expect("the first one");
        assert_eq!(requests.begin("1").err(), Some(CannotRun::IdInUse));
        requests.cancel("1");
        requests.cancel("2");
        assert!(first.cancelled.is_cancelled());
        drop(first);
        let running: Vec<_> = (0..MAX_RUNNING).map(|id| requests.begin(&id.to_string())).collect();
        assert!(running.iter().all(Result::is_ok));
        assert_eq!(requests.begin("x").err(), Some(CannotRun::TooMany));
    }
}
