//! How long a failed renewal is not repeated.

use jiff::Timestamp;

use crate::clock::later;
use crate::credentials::CredentialFault;
use crate::server::backoff::backoff;

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
        self.last.as_ref().filter(|last| now < last.until).map(|last| &last.fault)
    }

    pub fn until(&self) -> Option<Timestamp> {
        self.last.as_ref().map(|last| last.until)
    }
}
