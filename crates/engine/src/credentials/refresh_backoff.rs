//! The backoff after failed refreshes.

use std::time::Duration;

use jiff::Timestamp;

use super::fault::CredentialFault;
use crate::backoff::backoff;
use crate::clock::later;

/// The wait after a rejected refresh. The person is asked to sign in meanwhile.
const REJECTED_WAIT: Duration = Duration::from_secs(60 * 60);

/// The number of consecutive failures, and the wait after the last one.
#[derive(Default)]
pub(crate) struct RefreshBackoff {
    failures: u32,
    last: Option<Last>,
}

struct Last {
    until: Timestamp,
    wait: Duration,
    fault: CredentialFault,
    /// Whether the authorization server asked for the wait. If so, the wait also applies after a network change.
    is_required: bool,
}

impl RefreshBackoff {
    /// Starts a wait after a failure. It grows with each failure, has jitter, and respects `Retry-After`.
    pub fn start(&mut self, fault: &CredentialFault, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        let retry_after = match fault {
            CredentialFault::Refresh(error) => error.retry_after(),
            _ => None,
        };
        let wait = match fault {
            CredentialFault::RefreshRejected(_) => REJECTED_WAIT,
            _ => backoff(self.failures, retry_after),
        };
        let until = later(now, wait);
        self.last = Some(Last { until, wait, fault: fault.clone(), is_required: retry_after.is_some() });
    }

    pub fn end(&mut self) {
        *self = Self::default();
    }

    /// Ends the wait, unless the authorization server asked for it.
    pub fn cut_short(&mut self) {
        if self.last.as_ref().is_some_and(|last| !last.is_required) {
            self.end();
        }
    }

    /// Returns the last fault while the wait lasts.
    pub fn fault(&self, now: Timestamp) -> Option<&CredentialFault> {
        self.current(now).filter(|last| now < last.until).map(|last| &last.fault)
    }

    pub fn ends_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.current(now).map(|last| last.until)
    }

    /// Returns the last wait. It is ignored if more time is left than it lasts, because the clock was then set back.
    fn current(&self, now: Timestamp) -> Option<&Last> {
        self.last.as_ref().filter(|last| last.until <= later(now, last.wait))
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_does_not_make_a_backoff_longer() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2);
        let mut backoff = RefreshBackoff::default();
        backoff.start(&CredentialFault::RefreshCancelled, now);
        assert!(backoff.fault(now).is_some() && backoff.ends_at(now) > Some(now));
        assert!(backoff.fault(later(now, Duration::from_secs(2))).is_none());
        let before = now - SignedDuration::from_hours(1);
        assert!(backoff.fault(before).is_none() && backoff.ends_at(before).is_none());
    }
}
