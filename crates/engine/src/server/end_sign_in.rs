//! Transitions at the end of a sign-in: the callback, the exchange, the connection; or cancelling and timing out.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use usher_api::{ErrorView, NeedsSignIn, RedirectKind};
use usher_oauth::{Discovered, ErrorKind};

use super::message::Outcome;
use super::phase::{Live, Phase, SignIn, Stage, Used, Waiting};
use super::state::ServerTask;
use crate::connection::Opened;
use crate::connection::fault::Fault;
use crate::sign_in::callback::Callback;
use crate::sign_in::exchange::exchange;
use crate::words;
use crate::words::sign_in::describe_oauth_error;

impl ServerTask {
    /// Handles the callback. The sign-in keeps waiting if the callback is not genuine.
    pub fn callback_received(&mut self, callback: Callback) {
        let Callback { response, reply } = callback;
        let Some(mut sign_in) = self.phase.take_sign_in() else {
            return self.outbox.reply(reply, Err(words::sign_in::already_over()));
        };
        let Stage::Waiting(waiting) = sign_in.stage else {
            self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
            return self.outbox.reply(reply, Err(words::sign_in::already_over()));
        };
        let Waiting { pending, reused_registration, port, callback_registration } = waiting;
        let discovered = pending.discovered().clone();
        let registration = pending.client().registration.clone();
        let adds_prompt = pending.adds_prompt();
        let rejected = match (*pending).accept(response, self.context.options.clock.now()) {
            Ok(code) => {
                drop(callback_registration);
                self.forget_pending();
                let redirect = Some(sign_in.redirect.unwrap_or(RedirectKind::Paste));
                let issuer = discovered.metadata.issuer;
                // The page works without `prompt`.
                if discovered.quirks.rejects_prompt {
                    self.context.learned.change_quirks(&issuer, |quirks| quirks.rejects_prompt = true);
                }
                let given_up = CancellationToken::new();
                let given_up_exchange = given_up.clone();
                let used = Used { issuer, redirect, given_up, reused_registration, _port: port };
                let endpoint = Arc::clone(&sign_in.endpoint);
                self.jobs.run_to_end(async move {
                    Outcome::Exchanged(exchange(&endpoint, code, &given_up_exchange).await)
                });
                sign_in.stage = Stage::Exchanging { reply: Some(reply), used };
                sign_in.job = None;
                return self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
            }
            Err(rejected) => rejected,
        };
        let error = describe_oauth_error(&rejected.error);
        self.outbox.reply(reply, Err(error.clone()));
        if let Some(pending) = rejected.pending {
            sign_in.stage =
                Stage::Waiting(Waiting { pending, reused_registration, port, callback_registration });
            return self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
        }
        drop((callback_registration, port));
        self.forget_pending();
        if matches!(rejected.error.kind, ErrorKind::ResourceRejected { .. }) {
            self.forget_resource_parameter(discovered);
        } else if rejected.error.is_scope_rejected() && reused_registration {
            // The client may have been registered with other scopes.
            self.context.learned.forget_client(&registration.issuer, &registration.client_id);
        } else if rejected.error.is_scope_rejected() && discovered.adds_scopes {
            let issuer = &discovered.metadata.issuer;
            self.context.learned.change_quirks(issuer, |quirks| quirks.rejects_added_scopes = true);
        }
        if adds_prompt && rejected.error.is_prompt_rejected() {
            let issuer = &registration.issuer;
            self.context.learned.change_quirks(issuer, |quirks| quirks.rejects_prompt = true);
        }
        let reason = match &rejected.error.kind {
            ErrorKind::Denied => {
                self.fail_waiting_calls(&error);
                NeedsSignIn::Denied
            }
            // A client that was registered a moment ago is known, whatever the error says.
            _ if rejected.error.is_registration_lost() && reused_registration => {
                self.context.learned.forget_client(&registration.issuer, &registration.client_id);
                NeedsSignIn::RegistrationLost
            }
            // The sign-in did not complete, but the person did not deny it.
            _ => NeedsSignIn::NeverSignedIn,
        };
        self.fall_back(sign_in.live.take(), reason, error);
    }

    pub fn exchanged(&mut self, outcome: Result<(), Fault>) {
        let Some(mut sign_in) = self.phase.take_sign_in() else { return };
        let (reply, used) = match sign_in.stage {
            Stage::Exchanging { reply, used } => (reply, used),
            Stage::WaitingForDevice(waiting) => {
                self.forget_pending();
                (None, waiting.used())
            }
            Stage::Probing { .. }
            | Stage::Preparing { .. }
            | Stage::Waiting(_)
            | Stage::Connecting { .. } => {
                return self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
            }
        };
        let error = match &outcome {
            Ok(()) => {
                self.step_up.note_new_grant();
                sign_in.stage = Stage::Connecting { reply, used };
                sign_in.job = Some(self.continue_job(sign_in.live.as_ref()));
                return self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
            }
            Err(fault @ Fault::Exchange(failure)) => {
                let error = self.describe(fault);
                let reason = if failure.is_registration_lost() && used.reused_registration {
                    self.context.learned.forget_registrations(&used.issuer);
                    NeedsSignIn::RegistrationLost
                } else if matches!(failure.kind, ErrorKind::Denied) {
                    self.fail_waiting_calls(&error);
                    NeedsSignIn::Denied
                } else {
                    NeedsSignIn::NeverSignedIn
                };
                self.fall_back(sign_in.live.take(), reason, error.clone());
                error
            }
            Err(fault) => {
                // The secret store has not saved the grant yet. The next connection first tries again to save it.
                if matches!(fault, Fault::Credentials(_)) {
                    self.step_up.note_new_grant();
                }
                self.not_connected(fault)
            }
        };
        if let Some(reply) = reply {
            self.outbox.reply(reply, Err(error));
        }
    }

    pub fn connected_while_signing_in(&mut self, outcome: Result<Opened, Fault>) {
        let Some(sign_in) = self.phase.take_sign_in() else { return };
        match sign_in {
            SignIn { stage: Stage::Connecting { reply, used }, .. } => {
                let result = match outcome {
                    Ok(opened) => {
                        if let Some(redirect) = used.redirect {
                            self.context.learned.store_redirect(&used.issuer, redirect);
                        }
                        self.connected(opened);
                        Ok(self.id.clone())
                    }
                    Err(fault) => Err(self.not_connected(&fault)),
                };
                if let Some(reply) = reply {
                    self.outbox.reply(reply, result);
                }
            }
            SignIn { stage: Stage::Probing { reply }, endpoint, options, .. } => {
                self.probed(outcome, endpoint, options, reply);
            }
            sign_in => self.phase.enter(Phase::SigningIn(Box::new(sign_in))),
        }
    }

    pub fn cancel_sign_in(&mut self) {
        let Some(sign_in) = self.phase.take_sign_in() else { return };
        let live = self.end_sign_in(sign_in, &words::sign_in::cancelled());
        self.outbox.clear_error();
        self.return_to(live, NeedsSignIn::NeverSignedIn);
    }

    pub fn sign_in_timed_out(&mut self) {
        let Some(sign_in) = self.phase.take_sign_in() else { return };
        let error = words::sign_in::timed_out();
        let live = self.end_sign_in(sign_in, &error);
        self.fall_back(live, NeedsSignIn::NeverSignedIn, error);
    }

    /// Replies to the waiting callers of a sign-in that ends, and returns the connection that stays in use.
    pub fn end_sign_in(&mut self, sign_in: SignIn, why: &ErrorView) -> Option<Live> {
        match sign_in.stage {
            Stage::Probing { reply } | Stage::Preparing { reply, .. } => {
                self.outbox.reply(reply, Err(why.clone()));
            }
            Stage::Waiting(waiting) => {
                self.forget_pending();
                // The authorization server may have deleted an old registration, and may show this only in the browser.
                // Therefore, the next sign-in registers again.
                if waiting.reused_registration {
                    let registration = &waiting.pending.client().registration;
                    self.context.learned.forget_client(&registration.issuer, &registration.client_id);
                }
            }
            Stage::WaitingForDevice(waiting) => {
                self.forget_pending();
                waiting.given_up.cancel();
            }
            Stage::Exchanging { reply, used } | Stage::Connecting { reply, used } => {
                used.given_up.cancel();
                if let Some(reply) = reply {
                    self.outbox.reply(reply, Err(why.clone()));
                }
            }
        }
        sign_in.live
    }

    /// Ends a sign-in that failed.
    pub fn fall_back(&mut self, live: Option<Live>, reason: NeedsSignIn, error: ErrorView) {
        self.outbox.set_error(error);
        if reason != NeedsSignIn::NeverSignedIn {
            self.next_sign_in.set_reason(reason);
        }
        self.return_to(live, reason);
    }

    /// Enters the phase after a sign-in that did not succeed.
    pub fn return_to(&mut self, live: Option<Live>, fallback: NeedsSignIn) {
        self.jobs.ignore_outcomes();
        self.phase.enter(match live {
            Some(live) => Phase::Connected(live),
            None if self.step_up.challenge().is_some() => {
                Phase::NeedsSignIn { reason: NeedsSignIn::InsufficientScope }
            }
            None => Phase::NeedsSignIn { reason: self.next_sign_in.reason().unwrap_or(fallback) },
        });
    }

    /// Deletes the pending request from the secret store.
    pub fn forget_pending(&self) {
        if let Some(http) = self.endpoint.http() {
            http.persisted.set(&self.context, &self.id, None);
            self.context.learned.set_device_sign_in(&self.id, None);
        }
    }

    fn forget_resource_parameter(&self, mut discovered: Discovered) {
        discovered.sends_resource = false;
        if let Some(resolved) = self.endpoint.http().and_then(|http| http.resolved()) {
            self.context.learned.replace_discovered(&resolved.key, discovered);
        }
    }
}
