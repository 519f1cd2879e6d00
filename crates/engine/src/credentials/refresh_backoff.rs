//! The backoff after failed refreshes.

use jiff::Timestamp;

use super::fault::CredentialFault;
use crate::backoff::{LONGEST_ASKED, backoff};
use crate::clock::later;

/// The number of failures in a row, and the wait after the last of them.
#[derive(Default)]
pub(crate) struct RefreshBackoff {
    failures: u32,
    last: Option<Last>,
}

struct Last {
    until: Timestamp,
    fault: CredentialFault,
    /// The authorization server asked for the wait, so it applies after a network change, too.
    asked_for: bool,
}

impl RefreshBackoff {
    /// Waits longer with each failure, with jitter, and as long as the authorization server asks.
    pub fn after(&mut self, fault: &CredentialFault, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let asked = match fault {
            CredentialFault::Refresh(error) => error.retry_after(),
            _ => None,
        };
        let until = later(now, backoff(self.failures, asked));
        self.last = Some(Last { until, fault: fault.clone(), asked_for: asked.is_some() });
    }

    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Ends the wait, unless the authorization server asked for it.
    pub fn cut_short(&mut self) {
        if self.last.as_ref().is_some_and(|last| !last.asked_for) {
            self.end();
        }
    }

    /// Returns the last fault while the wait lasts.
    pub fn fault(&self, now: Timestamp) -> Option<&CredentialFault> {
        self.current(now).filter(|last| now < last.until).map(|last| &last.fault)
    }

    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.current(now).map(|last| last.until)
    }

    /// Ignores a wait longer than `LONGEST_ASKED`, which means that the clock was set back.
    fn current(&self, now: Timestamp) -> Option<&Last> {
        self.last.as_ref().filter(|last| last.until <= later(now, LONGEST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_does_not_make_a_backoff_longer() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2);
        let mut backoff = RefreshBackoff::default();
        backoff.after(&CredentialFault::Interrupted, now);
        assert!(backoff.fault(now).is_some() && backoff.until(now) > Some(now));
        assert!(backoff.fault(later(now, Duration::from_secs(2))).is_none());
        let before = now - SignedDuration::from_hours(1);
        assert!(backoff.fault(before).is_none() && backoff.until(before).is_none());
    }
}
