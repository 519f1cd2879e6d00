//! Refreshing before expiry: a job runs while the server may be connected, and restarts when its inputs change.

use std::future::pending;
use std::time::Duration;

use usher_api::{NeedsSignIn, ServerId};

use super::message::Message;
use super::phase::Phase;
use super::state::ServerTask;
use crate::clock::Clock;
use crate::connection::fault::Fault;
use crate::credentials::Credentials;
use crate::credentials::fault::CredentialFault;

/// The minimum wait after a failure, even if the clock says that the refresh is due.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

impl ServerTask {
    /// Starts or stops the job after each message. A grant that only lacks scopes is still refreshed, because the
    /// person may decline the step-up. A rejected refresh is tried again, because the rejection may be temporary. Without
    /// the permission to send the entry's secrets, nothing is refreshed.
    pub fn update_refresh(&mut self) {
        let should_run = match self.phase.get() {
            Phase::Connecting { .. }
            | Phase::Connected(_)
            | Phase::Reconnecting { .. }
            | Phase::SigningIn(_)
            | Phase::Failed { .. }
            | Phase::NeedsSignIn { reason: NeedsSignIn::InsufficientScope | NeedsSignIn::RefreshRejected } => {
                true
            }
            Phase::Disabled | Phase::Paused | Phase::NeedsSignIn { .. } => false,
        };
        if !should_run || self.waits_for_secret() {
            self.refresh.stop();
        } else if !self.refresh.is_running() {
            let (id, credentials) = (self.id.clone(), self.endpoint.credentials());
            let (clock, jobs) = (self.context.options.clock.clone(), &self.jobs);
            self.refresh.start(|number| {
                jobs.run_separately(async move {
                    Message::RefreshEnded { number, fault: keep_refreshed(id, credentials, clock).await }
                })
            });
        }
    }

    pub fn grant_changed(&mut self) {
        self.refresh.stop();
        let (phase, credentials) = (self.phase.get(), self.endpoint.credentials());
        let was_rejected = matches!(phase, Phase::NeedsSignIn { reason: NeedsSignIn::RefreshRejected });
        if matches!(phase, Phase::Reconnecting { for_refresh: true, .. }) {
            self.try_again();
        } else if was_rejected && credentials.is_some_and(|credentials| credentials.cached_token().is_some())
        {
            self.connect_again();
        }
    }

    /// Ends the backoff of failed refreshes, because the network or the secret store may work again.
    pub fn retry_refresh_now(&mut self) {
        if let Some(credentials) = self.endpoint.credentials() {
            credentials.retry_now();
        }
        self.refresh.stop();
    }

    pub fn refresh_ended(&mut self, number: u64, fault: CredentialFault) {
        if !self.refresh.is_current(number) {
            return;
        }
        // The next job tries again when the backoff ends.
        if matches!(fault, CredentialFault::RefreshRejected(_)) {
            self.refresh.stop();
        }
        let fault = Fault::Credentials(fault);
        match self.phase.get() {
            Phase::Connected(live) => {
                let connection = live.connection.clone();
                self.connection_failed(&connection, &fault);
            }
            Phase::Reconnecting { .. }
            | Phase::NeedsSignIn { reason: NeedsSignIn::InsufficientScope | NeedsSignIn::RefreshRejected } => {
                self.not_connected(&fault);
            }
            // In these phases, the running or next request finds the fault, or no grant is in use.
            Phase::Connecting { .. }
            | Phase::SigningIn(_)
            | Phase::Failed { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Disabled
            | Phase::Paused => {}
        }
    }
}

/// Refreshes the grant each time that a refresh is due, until the grant cannot be refreshed any more. A new job
/// replaces this one when the grant or the clock changes.
async fn keep_refreshed(id: ServerId, credentials: Option<Credentials>, clock: Clock) -> CredentialFault {
    let Some(credentials) = credentials else { return pending().await };
    let mut shortest = Duration::ZERO;
    loop {
        if let Some(ended) = credentials.ended() {
            return ended;
        }
        let Some(due) = credentials.due() else { return pending().await };
        let left = due.duration_since(clock.now());
        tokio::time::sleep(Duration::try_from(left).unwrap_or_default().max(shortest)).await;
        shortest = match credentials.maintain().await {
            Ok(()) => Duration::ZERO,
            Err(fault @ CredentialFault::RefreshRejected(_)) => {
                // The token is used until it expires.
                let expires_at = credentials.held().and_then(|grant| grant.expires_at);
                let Some(left) = expires_at.map(|end| end.duration_since(clock.now())) else { continue };
                tokio::time::sleep(Duration::try_from(left).unwrap_or_default()).await;
                return fault;
            }
            Err(fault) if fault.is_end_of_grant() => return fault,
            // A retry might ask for the keychain's password again. When the keychain is unlocked, a new job starts.
            Err(fault) if fault.is_locked() => return pending().await,
            Err(fault) => {
                tracing::info!(server = %id, %fault, "the grant was not refreshed before its expiry");
                SHORTEST_WAIT
            }
        };
    }
}
