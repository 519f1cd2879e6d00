//! Where a failure leads: to a sign-in, to another try, or to a person.

use std::sync::Arc;
use std::time::Duration;

use usher_oauth::BearerChallenge;

use super::MAX_STEP_UPS;
use super::Outcome;
use super::phase::Phase;
use super::task::ServerTask;
use crate::clock::later;
use crate::connection::Connection;
use crate::connection::fault::Fault;
use crate::credentials::CredentialFault;
use crate::describe::{error, never_content};
use crate::server::backoff::backoff;
use crate::{Code, ErrorView, NeedsSignIn};

impl ServerTask {
    /// Where a failed connection leads. Gives back what a waiting caller is told.
    pub fn not_connected(&mut self, fault: &Fault) -> ErrorView {
        let told = self.describe(fault);
        let connection = self.live_mut().map(|live| Arc::clone(&live.connection));
        if connection.is_some() {
            self.park(connection, fault);
        }
        let need = |reason| Phase::NeedsSignIn { reason };
        match fault {
            Fault::Unauthorized { .. } if self.place.as_ref().is_some_and(|place| place.oauth.off) => {
                let refused = error(
                    Code::SignInRequired,
                    format!("{} refuses the Authorization header that mcp.json gives it.", self.name()),
                    "Check that header, or the secret in it; without the header Usher signs in itself.",
                );
                return self.fail(refused);
            }
            Fault::Unauthorized { challenge, token_sent } => {
                self.note_challenge(challenge.as_deref(), *token_sent);
                let fallback = if *token_sent { NeedsSignIn::Expired } else { NeedsSignIn::NeverSignedIn };
                let reason = *self.lost.get_or_insert(fallback);
                if *token_sent {
                    self.last_error = Some(told.clone());
                } else if self.is_quarantined() {
                    self.last_error = Some(error(
                        Code::SignInRequired,
                        format!(
                            "The kept sign-in of {} belongs to another service or another client id, and is not used.",
                            self.name()
                        ),
                        "Sign in here, or give the server its old address and client id back.",
                    ));
                }
                self.phase = need(reason);
            }
            Fault::InsufficientScope { challenge } => {
                self.note_step_up(challenge);
                self.step_ups += 1;
                if self.step_ups > MAX_STEP_UPS {
                    self.step_ups = 0;
                    return self.fail(never_content(&self.name()));
                }
                self.last_error = Some(told.clone());
                self.phase = need(NeedsSignIn::MorePermissionNeeded);
            }
            Fault::Credentials(CredentialFault::Over | CredentialFault::Expired) => {
                self.lose(NeedsSignIn::Expired, &told);
            }
            Fault::Credentials(CredentialFault::RenewalLost) => {
                self.lose(NeedsSignIn::RefreshInterrupted, &told);
            }
            Fault::Credentials(CredentialFault::RegistrationLost(_)) => {
                self.lose(NeedsSignIn::RegistrationLost, &told);
            }
            fault if fault.is_transient() => self.connect_later(fault),
            // Who unlocks it is heard; of a store that was slow, or of a disk that was full, nobody tells.
            Fault::Credentials(CredentialFault::SecretStore(error))
                if !matches!(**error, usher_secrets::Error::Locked { .. }) =>
            {
                return self.fail_for_now(told);
            }
            Fault::Tls(_) | Fault::Protocol(_) | Fault::Status { .. } | Fault::Redirected { .. } => {
                return self.fail_for_now(told);
            }
            _ => return self.fail(told),
        }
        told
    }

    /// Most likely a person must change something; but what stands between us and the service says the same, so it is
    /// tried again now and then.
    fn fail_for_now(&mut self, error: ErrorView) -> ErrorView {
        self.attempt += 1;
        let wait = backoff(self.attempt, None);
        let job = self.job(async move {
            tokio::time::sleep(wait).await;
            Outcome::Due
        });
        self.last_error = Some(error.clone());
        self.phase = Phase::Failed { error: error.clone(), next_try: Some(job) };
        error
    }

    fn fail(&mut self, error: ErrorView) -> ErrorView {
        self.last_error = Some(error.clone());
        self.phase = Phase::Failed { error: error.clone(), next_try: None };
        error
    }

    pub fn connect_later(&mut self, fault: &Fault) {
        self.attempt += 1;
        let asked = match fault {
            Fault::Status { retry_after, .. } => retry_after.map(Duration::from_secs),
            Fault::Credentials(CredentialFault::Refresh(error)) => error.retry_after(),
            _ => None,
        };
        let wait = backoff(self.attempt, asked);
        let next_at = later(self.shared.options.clock.now(), wait);
        let why = self.describe(fault);
        self.last_error = Some(why.clone());
        let job = self.job(async move {
            tokio::time::sleep(wait).await;
            Outcome::Due
        });
        let for_renewal = matches!(fault, Fault::Credentials(_));
        self.phase = Phase::Reconnecting { attempt: self.attempt, next_at, why, for_renewal, job };
    }

    fn lose(&mut self, reason: NeedsSignIn, why: &ErrorView) {
        self.lost = Some(reason);
        self.last_error = Some(why.clone());
        self.phase = Phase::NeedsSignIn { reason };
    }

    /// A 401: what it says is the way to the next sign-in. One for a token that was good until now means that what
    /// was learned may be wrong, too: the authorization server may have moved.
    pub fn note_challenge(&mut self, challenge: Option<&BearerChallenge>, token_sent: bool) {
        self.challenge = Some(challenge.cloned().unwrap_or_default());
        if token_sent && let Some(site) = self.place.as_ref().and_then(|place| place.site_at_hand()) {
            self.shared.kept.forget_discovered(&site.url);
        }
    }

    /// A request failed over a connection that is still ours.
    pub fn call_failed(&mut self, connection: &Arc<Connection>, fault: &Fault) {
        if !self.is_current(connection) {
            return;
        }
        match fault {
            Fault::Unauthorized { .. } | Fault::Credentials(_) | Fault::Unreachable(_) | Fault::Lost => {
                // A step-up under way goes on; the rest of the server waits for it.
                if let Phase::SigningIn(sign_in) = &mut self.phase {
                    sign_in.live = None;
                    self.park(Some(Arc::clone(connection)), fault);
                } else {
                    self.not_connected(fault);
                }
            }
            Fault::InsufficientScope { challenge } => {
                self.note_step_up(challenge);
                self.last_error = Some(self.describe(fault));
            }
            Fault::Tls(_)
            | Fault::Exchange(_)
            | Fault::TimedOut(_)
            | Fault::Status { .. }
            | Fault::Redirected { .. }
            | Fault::Rpc { .. }
            | Fault::Protocol(_)
            | Fault::Cancelled
            | Fault::Setup(_) => {}
        }
    }

    /// Only the sign-in failed: the connection is kept for the next one.
    fn park(&mut self, connection: Option<Arc<Connection>>, fault: &Fault) {
        let only_the_sign_in = match fault {
            Fault::Unauthorized { .. } | Fault::InsufficientScope { .. } => true,
            Fault::Credentials(fault) => !fault.is_transient(),
            _ => false,
        };
        self.parked = connection.filter(|_| only_the_sign_in);
    }

    /// A refusal that stands in a tool's result may be another service's: what works goes on, and a sign-in is offered.
    pub fn refused_in_result(&mut self, connection: &Arc<Connection>) {
        if self.is_current(connection) {
            self.last_error = Some(error(
                Code::SignInRequired,
                format!("{} says in a result that it does not take this sign-in.", self.name()),
                format!("Sign in to {} again if it goes on.", self.name()),
            ));
        }
    }

    pub fn good_result(&mut self, connection: &Arc<Connection>) {
        let offers = self.last_error.as_ref().is_some_and(|told| told.code == Code::SignInRequired);
        if offers && self.is_current(connection) {
            self.last_error = None;
        }
    }

    fn is_quarantined(&self) -> bool {
        let site = self.place.as_ref().and_then(|place| place.site_at_hand());
        site.and_then(|site| site.credentials.clone()).is_some_and(|credentials| credentials.is_quarantined())
    }
}
