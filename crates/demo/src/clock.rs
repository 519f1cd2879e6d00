//! The demo's clock: the system's clock plus an offset that tests set.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

#[derive(Default)]
pub(crate) struct Clock {
    ahead_ms: AtomicU64,
}

impl Clock {
    /// Returns the current time. No other function of this crate reads the system's clock.
    pub(crate) fn now(&self) -> Timestamp {
        saturating_add(Timestamp::now(), Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed)))
    }

    pub(crate) fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.ahead_ms.fetch_add(by, Ordering::Relaxed);
    }
}

/// Returns `time` plus `duration`, or the latest timestamp on overflow.
pub(crate) fn saturating_add(time: Timestamp, duration: Duration) -> Timestamp {
    time.saturating_add(duration).unwrap_or(Timestamp::MAX)
}
