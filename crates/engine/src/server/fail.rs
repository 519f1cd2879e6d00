//! The handling of faults: a sign-in, a retry, or an error for the person.

use std::sync::Arc;
use std::time::Duration;

use usher_api::{ErrorView, NeedsSignIn};
use usher_oauth::Challenge;

use super::phase::Phase;
use super::state::ServerTask;
use crate::backoff::backoff;
use crate::clock::later;
use crate::connection::Connection;
use crate::connection::fault::Fault;
use crate::credentials::fault::CredentialFault;
use crate::words;

impl ServerTask {
    /// Handles a failed connection. Returns the error for a waiting caller.
    pub fn not_connected(&mut self, fault: &Fault) -> ErrorView {
        let error = self.describe(fault);
        if let Some(connection) = self.phase.connection() {
            self.keep_for_sign_in(connection, fault);
        }
        match fault {
            Fault::Unauthorized { .. } if self.endpoint.is_oauth_off() => {
                return self.fail(words::connection::header_rejected(&self.name()));
            }
            Fault::Unauthorized { challenge, token_sent } => {
                self.note_challenge(challenge.as_deref(), *token_sent);
                let fallback = if *token_sent { NeedsSignIn::Expired } else { NeedsSignIn::NeverSignedIn };
                // A token was sent, so the refresh has succeeded since then.
                if *token_sent && self.next_sign_in.reason() == Some(NeedsSignIn::RefreshRejected) {
                    self.next_sign_in.set_reason(NeedsSignIn::Expired);
                }
                if !*token_sent && self.sign_in_unattended() {
                    return error;
                }
                if *token_sent && self.endpoint.is_unattended() {
                    return self.fail(error);
                }
                let reason = self.next_sign_in.reason_or(fallback);
                if *token_sent {
                    self.outbox.set_error(error.clone());
                } else if self.endpoint.credentials().is_some_and(|credentials| credentials.is_quarantined())
                {
                    self.outbox.set_error(words::credentials::quarantined(&self.name()));
                }
                self.phase.enter(Phase::NeedsSignIn { reason });
            }
            Fault::InsufficientScope { challenge } => {
                self.step_up.note_handshake(challenge);
                if self.step_up.is_endless() {
                    self.step_up.reset_count();
                    return self.fail(words::connection::endless_step_up(&self.name()));
                }
                if self.sign_in_unattended() {
                    return error;
                }
                self.outbox.set_error(error.clone());
                self.phase.enter(Phase::NeedsSignIn { reason: NeedsSignIn::InsufficientScope });
            }
            Fault::Credentials(fault) if let Some(reason) = fault.sign_in_reason() => {
                self.next_sign_in.set_reason(reason);
                self.outbox.set_error(error.clone());
                self.phase.enter(Phase::NeedsSignIn { reason });
            }
            fault if fault.is_transient() => self.connect_later(fault),
            // The engine notices when the keychain is unlocked, but not when a slow store or a full disk recovers.
            Fault::Credentials(fault @ CredentialFault::SecretStore(_)) if !fault.is_locked() => {
                return self.fail_with_retry(error, self.phase.attempt() + 1);
            }
            Fault::Tls(_)
            | Fault::Protocol(_)
            | Fault::LimitExceeded(_)
            | Fault::Status { .. }
            | Fault::Redirected { .. } => {
                return self.fail_with_retry(error, self.phase.attempt() + 1);
            }
            _ => return self.fail(error),
        }
        error
    }

    /// Fails, but retries later. `attempt` is the number of failures in a row. Most likely a person must change something,
    /// but a captive portal or a proxy causes the same faults.
    pub fn fail_with_retry(&mut self, error: ErrorView, attempt: u32) -> ErrorView {
        let next_try = Some(self.jobs.timer(backoff(attempt, None)));
        self.outbox.set_error(error.clone());
        self.phase.enter(Phase::Failed { error: error.clone(), attempt, next_try });
        error
    }

    pub fn fail(&mut self, error: ErrorView) -> ErrorView {
        self.outbox.set_error(error.clone());
        self.phase.enter(Phase::Failed { error: error.clone(), attempt: 0, next_try: None });
        error
    }

    fn connect_later(&mut self, fault: &Fault) {
        let attempt = self.phase.attempt() + 1;
        let retry_after = match fault {
            Fault::Status { retry_after, .. } => retry_after.map(Duration::from_secs),
            Fault::Credentials(CredentialFault::Refresh(error)) => error.retry_after(),
            _ => None,
        };
        let wait = backoff(attempt, retry_after);
        let next_at = later(self.context.options.clock.now(), wait);
        let why = self.describe(fault);
        self.outbox.set_error(why.clone());
        let job = self.jobs.timer(wait);
        let for_refresh = matches!(fault, Fault::Credentials(_));
        self.phase.enter(Phase::Reconnecting { attempt, next_at, why, for_refresh, job });
    }

    /// Stores the challenge of a 401 for the next sign-in. If a token was rejected, the authorization server may have
    /// moved, so its metadata is forgotten.
    pub fn note_challenge(&mut self, challenge: Option<&Challenge>, token_sent: bool) {
        self.next_sign_in.set_challenge(challenge.cloned().unwrap_or_default());
        if token_sent && let Some(resolved) = self.endpoint.http().and_then(|http| http.resolved()) {
            self.context.learned.forget_discovered(&resolved.key);
        }
    }

    /// Handles a fault of the connection in use.
    pub fn connection_failed(&mut self, connection: &Arc<Connection>, fault: &Fault) {
        match fault {
            Fault::Unauthorized { .. }
            | Fault::Credentials(_)
            | Fault::Unreachable(_)
            | Fault::LimitExceeded(_)
            | Fault::Exited(_)
            | Fault::Lost => {
                // A running step-up continues without the connection.
                if let Some(sign_in) = self.phase.sign_in_mut() {
                    sign_in.live = None;
                    self.keep_for_sign_in(Arc::clone(connection), fault);
                } else {
                    self.not_connected(fault);
                }
            }
            Fault::InsufficientScope { challenge } => {
                self.step_up.note_scopes(challenge);
                self.outbox.set_error(self.describe(fault));
            }
            Fault::Tls(_)
            | Fault::Exchange(_)
            | Fault::TimedOut(_)
            | Fault::Status { .. }
            | Fault::Redirected { .. }
            | Fault::Rpc(_)
            | Fault::Protocol(_)
            | Fault::Cancelled
            | Fault::SecretNotAllowed(_)
            | Fault::NotApproved
            | Fault::Setup(_) => {}
        }
    }

    /// Offers a sign-in, because a request without a token was refused. The connection stays, because the lists and
    /// other requests need no token.
    pub fn call_refused(&mut self, connection: &Arc<Connection>, challenge: Option<Box<Challenge>>) {
        let fault = Fault::Unauthorized { challenge, token_sent: false };
        let Fault::Unauthorized { challenge, .. } = &fault else { return };
        if self.endpoint.is_oauth_off() || !matches!(self.phase.get(), Phase::Connected(_)) {
            return self.connection_failed(connection, &fault);
        }
        self.note_challenge(challenge.as_deref(), false);
        if let Some(resolved) = self.endpoint.http().and_then(|http| http.resolved()) {
            let address = challenge.as_ref().and_then(|challenge| challenge.resource_metadata.clone());
            self.context.learned.store_call_challenge(&resolved.key, address.unwrap_or_default());
        }
        self.outbox.set_error(self.describe(&fault));
    }

    /// Keeps the connection for the next sign-in if only the grant failed.
    fn keep_for_sign_in(&mut self, connection: Arc<Connection>, fault: &Fault) {
        let only_grant_failed = match fault {
            Fault::Unauthorized { .. } | Fault::InsufficientScope { .. } => true,
            Fault::Credentials(fault) => !fault.is_transient(),
            _ => false,
        };
        self.next_sign_in.set_connection(only_grant_failed.then_some(connection));
    }

    /// Offers a sign-in, because a tool's result rejected the current one. The connection stays, because the result may
    /// come from another service behind the tool.
    pub fn refused_in_result(&mut self) {
        self.outbox.set_error(words::connection::refused_in_result(&self.name()));
    }

    pub fn accepted_in_result(&mut self) {
        if self.outbox.asks_for_sign_in() {
            self.outbox.clear_error();
        }
    }
}
