//! The engine's clock: the system clock plus an offset for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The only reader of the time of day in this crate. All other code gets the time from a `Clock` or as an argument.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        later(Timestamp::now(), Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// Moves this clock and its clones ahead, so that a test need not wait until a token expires.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(by, Ordering::Relaxed);
    }
}

/// Returns `moment` plus `by`, or the last representable moment.
pub(crate) fn later(moment: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}
