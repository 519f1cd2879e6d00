//! When the task keeps its sign-in fresh: while it may be connected, and from the beginning whenever that changes.

use super::Message;
use super::phase::{Job, Phase};
use super::renewal::keep_fresh;
use super::task::ServerTask;
use crate::NeedsSignIn;
use crate::connection::fault::Fault;
use crate::credentials::CredentialFault;

/// The renewal that runs, if one does. What an older one reports is dropped.
#[derive(Default)]
pub(super) struct Renewal {
    number: u64,
    job: Option<Job>,
}

impl ServerTask {
    /// After each message: no renewal runs where there is nothing to keep or nobody wants it kept, and one runs
    /// everywhere else. A sign-in that is only not enough is still good: it is kept for whoever says no to more.
    pub fn mind_renewal(&mut self) {
        let is_wanted = match &self.phase {
            Phase::Connecting { .. }
            | Phase::Connected(_)
            | Phase::Reconnecting { .. }
            | Phase::SigningIn(_)
            | Phase::Failed { .. }
            | Phase::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded } => true,
            Phase::Disabled | Phase::Paused | Phase::Unsupported { .. } | Phase::NeedsSignIn { .. } => false,
        };
        if !is_wanted {
            self.renewal.job = None;
        } else if self.renewal.job.is_none() {
            self.renew_from_now();
        }
    }

    /// The sign-in is another one, or holds for another time.
    pub fn grant_changed(&mut self) {
        self.renewal.job = None;
        if matches!(self.phase, Phase::Reconnecting { for_renewal: true, .. }) {
            self.try_again();
        }
    }

    /// The clock went on without us, or the network is there again: what waits for a better moment need not.
    pub fn hurry_renewal(&mut self) {
        let site = self.place.as_ref().and_then(|place| place.site_at_hand());
        if let Some(credentials) = site.and_then(|site| site.credentials.clone()) {
            credentials.hurry();
        }
        self.renewal.job = None;
    }

    pub fn renewal_ended(&mut self, number: u64, fault: CredentialFault) {
        if number != self.renewal.number {
            return;
        }
        let fault = Fault::Credentials(fault);
        match &self.phase {
            Phase::Connected(live) => {
                let connection = live.connection.clone();
                self.call_failed(&connection, &fault);
            }
            Phase::Reconnecting { .. } | Phase::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded } => {
                self.not_connected(&fault);
            }
            // Each of these finds out for itself.
            Phase::Connecting { .. }
            | Phase::SigningIn(_)
            | Phase::Failed { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Disabled
            | Phase::Paused
            | Phase::Unsupported { .. } => {}
        }
    }

    fn renew_from_now(&mut self) {
        let Some(place) = self.place.clone() else { return };
        self.renewal.number += 1;
        let (number, inbox) = (self.renewal.number, self.inbox.clone());
        let task = tokio::spawn(async move {
            let fault = keep_fresh(place).await;
            let _ = inbox.send(Message::RenewalEnded { number, fault });
        });
        self.renewal.job = Some(Job(task.abort_handle()));
    }
}
