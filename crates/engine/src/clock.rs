//! The engine's clock: the system clock plus an offset for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// The only reader of the time of day in this crate. All other code gets the time from a `Clock` or as an argument.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    ahead_ms: Arc<AtomicU64>,
    /// The part of `ahead_ms` that is not a sleep of the computer.
    passed_ms: Arc<AtomicU64>,
}

impl Clock {
    pub fn now(&self) -> Timestamp {
        later(Timestamp::now(), Duration::from_millis(self.ahead_ms.load(Ordering::Relaxed)))
    }

    /// Returns the time without what passed by [`Self::pass`]. If it moves differently from the timers, the computer
    /// slept.
    pub(crate) fn now_for_wake(&self) -> Timestamp {
        let ahead = self.ahead_ms.load(Ordering::Relaxed) - self.passed_ms.load(Ordering::Relaxed);
        later(Timestamp::now(), Duration::from_millis(ahead))
    }

    /// Moves this clock and its clones ahead, so that a test need not wait until a token expires. No timer fires, as
    /// while the computer sleeps, so every server is connected again after a few seconds.
    pub fn advance(&self, by: Duration) {
        self.ahead_ms.fetch_add(milliseconds(by), Ordering::Relaxed);
    }

    /// Moves this clock and its clones ahead like [`Self::advance`], but not as a sleep of the computer.
    pub fn pass(&self, by: Duration) {
        self.ahead_ms.fetch_add(milliseconds(by), Ordering::Relaxed);
        self.passed_ms.fetch_add(milliseconds(by), Ordering::Relaxed);
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Returns `moment` plus `by`, or the last representable moment.
pub(crate) fn later(moment: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    moment.saturating_add(by).unwrap_or(Timestamp::MAX)
}
