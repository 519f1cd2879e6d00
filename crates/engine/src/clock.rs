//! The engine's clock: the system's, and as much ahead of it as a test has moved it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The only place in this room that reads the time of day; everything else is told it.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        later(Timestamp::now(), Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// Moves this clock and its clones ahead, so that tokens age without waiting.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(by, Ordering::Relaxed);
    }
}

/// `moment` plus `by`, or the end of time if there is no such moment.
pub(crate) fn later(moment: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}
