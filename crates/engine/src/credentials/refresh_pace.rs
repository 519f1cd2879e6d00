//! The pace of refreshes for tokens that live for a few seconds, so that a server cannot make Usher refresh all the time.

use std::time::Duration;

use jiff::Timestamp;
use usher_budgets as budgets;

use crate::clock::later;

/// The longest time between two refreshes that no request needs. A request that needs a token does not wait for it.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The last refresh, and how many consecutive ones returned a short-lived token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RefreshPace {
    last: Option<Timestamp>,
    short_lived: u32,
}

impl RefreshPace {
    /// Records a refresh that succeeded at `now`.
    pub fn note(&mut self, is_short_lived: bool, now: Timestamp) {
        self.last = Some(now);
        self.short_lived = if is_short_lived { self.short_lived.saturating_add(1) } else { 0 };
    }

    /// Returns the earliest time of the next refresh that no request needs. The time grows with each short-lived token.
    pub fn idle_from(&self, now: Timestamp) -> Option<Timestamp> {
        let exponent = self.short_lived.checked_sub(1)?.min(16);
        self.after_last((budgets::SHORTEST_REFRESH * (2 << exponent)).min(LONGEST_PAUSE), now)
    }

    /// Returns the time to wait before a refresh that a request needs.
    pub fn wait(&self, now: Timestamp) -> Duration {
        let from = (self.short_lived > 0).then(|| self.after_last(budgets::SHORTEST_REFRESH, now)).flatten();
        from.and_then(|from| Duration::try_from(from.duration_since(now)).ok()).unwrap_or_default()
    }

    /// Returns the time `by` after the last refresh. It is ignored if the clock was set back since then.
    fn after_last(&self, by: Duration, now: Timestamp) -> Option<Timestamp> {
        self.last.filter(|last| *last <= now).map(|last| later(last, by))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn refreshes_of_short_lived_tokens_become_rarer_unless_a_request_needs_one() {
        let now = Timestamp::UNIX_EPOCH;
        let mut pace = RefreshPace::default();
        assert_eq!((pace.idle_from(now), pace.wait(now)), (None, Duration::ZERO));
        let mut pauses = Vec::new();
        for _ in 0..40 {
            pace.note(true, now);
            pauses.push(pace.idle_from(now).expect("a time").duration_since(now).as_secs());
            assert_eq!(pace.wait(now), budgets::SHORTEST_REFRESH);
            assert_eq!(pace.wait(later(now, Duration::from_secs(5))), Duration::ZERO);
        }
        assert_eq!(pauses[..6], [2, 4, 8, 16, 32, 60]);
        assert!(pauses[6..].iter().all(|pause| *pause == 60));
        // The clock was set back.
        let before = now - SignedDuration::from_hours(1);
        assert_eq!((pace.idle_from(before), pace.wait(before)), (None, Duration::ZERO));
        pace.note(false, now);
        assert_eq!((pace.idle_from(now), pace.wait(now)), (None, Duration::ZERO));
    }
}
