//! How long a failed renewal is not repeated.

use jiff::Timestamp;

use crate::clock::later;
use crate::credentials::CredentialFault;
use crate::server::backoff::{LONGEST_ASKED, backoff};

/// The failures in a row, and the wait after the last of them.
#[derive(Default)]
pub(crate) struct Pause {
    failures: u32,
    last: Option<Last>,
}

struct Last {
    until: Timestamp,
    fault: CredentialFault,
    /// By the authorization server, so it holds whatever happens to the network.
    asked_for: bool,
}

impl Pause {
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

    /// The computer woke, or the network came back: only what the server asked for still counts.
    pub fn cut_short(&mut self) {
        if self.last.as_ref().is_some_and(|last| !last.asked_for) {
            self.end();
        }
    }

    /// What a caller is told while it lasts.
    pub fn fault(&self, now: Timestamp) -> Option<&CredentialFault> {
        self.standing(now).filter(|last| now < last.until).map(|last| &last.fault)
    }

    pub fn until(&self, now: Timestamp) -> Option<Timestamp> {
        self.standing(now).map(|last| last.until)
    }

    /// No pause is longer than what a server may ask for: one that seems to be is of a clock that was set back since.
    fn standing(&self, now: Timestamp) -> Option<&Last> {
        self.last.as_ref().filter(|last| last.until <= later(now, LONGEST_ASKED))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn a_clock_that_is_set_back_does_not_make_a_pause_longer() {
        let now = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(2);
        let mut pause = Pause::default();
        pause.after(&CredentialFault::Interrupted, now);
        assert!(pause.fault(now).is_some() && pause.until(now) > Some(now));
        assert!(pause.fault(later(now, Duration::from_secs(2))).is_none());
        let before = now - SignedDuration::from_hours(1);
        assert!(pause.fault(before).is_none() && pause.until(before).is_none());
    }
}
