//! The end of a sign-in: the answer from the browser, the exchange, the connection; or its being given up.

use tokio_util::sync::CancellationToken;
use usher_oauth::{AuthorizationResponse, ErrorKind, PendingAuthorization};

use super::Outcome;
use super::connect::{Opened, exchange};
use super::phase::{Live, Phase, SignIn, Stage, Told, Used, Waiting};
use super::task::ServerTask;
use crate::connection::fault::Fault;
use crate::describe::{describe_oauth_error, error};
use crate::{Code, ErrorView, NeedsSignIn, RedirectKind};

impl ServerTask {
    /// The answer came. One that is a stranger's leaves the sign-in waiting.
    pub fn complete(&mut self, response: AuthorizationResponse, reply: Told) {
        let over = || error(Code::AuthorizationExpired, "This sign-in is already over.", "Sign in again.");
        let Some(mut sign_in) = self.take_sign_in() else {
            self.answer(reply, Err(over()));
            return;
        };
        let Stage::Waiting(waiting) = sign_in.stage else {
            self.answer(reply, Err(over()));
            self.phase = Phase::SigningIn(Box::new(sign_in));
            return;
        };
        let Waiting { pending, reused_registration, listening, _flow } = waiting;
        let discovered = pending.discovered().clone();
        let registration = pending.client().registration.clone();
        match (*pending).accept(response, self.shared.options.clock.now()) {
            Ok(code) => {
                drop(_flow);
                self.keep_pending(None);
                let redirect = sign_in.redirect.unwrap_or(RedirectKind::Paste);
                let issuer = discovered.metadata.issuer;
                let used =
                    Used { issuer, redirect, given_up: CancellationToken::new(), _listening: listening };
                let (place, given_up) = (self.place.clone(), used.given_up.clone());
                // It goes on when nobody waits for it any more: the code is good once.
                self.lasting_job(async move {
                    match place {
                        Some(place) => Outcome::Exchanged(exchange(&place, code, &given_up).await),
                        None => Outcome::Exchanged(Err(Fault::Cancelled)),
                    }
                });
                sign_in.stage = Stage::Exchanging { reply, used };
                sign_in.job = None;
                self.phase = Phase::SigningIn(Box::new(sign_in));
            }
            Err(rejected) => {
                let told = describe_oauth_error(&rejected.error);
                self.answer(reply, Err(told.clone()));
                match rejected.pending {
                    Some(pending) => {
                        sign_in.stage =
                            Stage::Waiting(Waiting { pending, reused_registration, listening, _flow });
                        self.phase = Phase::SigningIn(Box::new(sign_in));
                    }
                    None => {
                        drop((_flow, listening));
                        self.keep_pending(None);
                        if matches!(rejected.error.kind, ErrorKind::ResourceRejected { .. }) {
                            self.forget_resource_parameter(discovered);
                        }
                        // Only a person or a service that says no refuses; all else is a sign-in that did not come about.
                        let reason = match &rejected.error.kind {
                            ErrorKind::Denied => {
                                self.refuse_calls(&told);
                                NeedsSignIn::Refused
                            }
                            _ if rejected.error.is_registration_lost() => {
                                self.shared.kept.forget_client(&registration.issuer, &registration.client_id);
                                NeedsSignIn::RegistrationLost
                            }
                            _ => NeedsSignIn::NeverSignedIn,
                        };
                        self.fall_back(sign_in.live.take(), reason, told);
                    }
                }
            }
        }
    }

    pub fn exchanged(&mut self, outcome: Result<(), Fault>) {
        let Some(mut sign_in) = self.take_sign_in() else { return };
        let Stage::Exchanging { reply, used } = sign_in.stage else {
            self.phase = Phase::SigningIn(Box::new(sign_in));
            return;
        };
        let fault = match (outcome, self.place.clone()) {
            (Ok(()), Some(place)) => {
                self.signed_in_anew = true;
                sign_in.stage = Stage::Connecting { reply, used };
                self.phase = Phase::SigningIn(Box::new(sign_in));
                let job = self.go_on_job(place);
                if let Phase::SigningIn(sign_in) = &mut self.phase {
                    sign_in.job = Some(job);
                }
                return;
            }
            (Ok(()), None) => Fault::Cancelled,
            (Err(fault), _) => fault,
        };
        let told = match &fault {
            Fault::Exchange(failure) => {
                let told = self.describe(&fault);
                let lost = failure.is_registration_lost();
                if lost {
                    self.shared.kept.forget_registrations(&used.issuer);
                }
                let reason = if lost { NeedsSignIn::RegistrationLost } else { NeedsSignIn::NeverSignedIn };
                self.fall_back(sign_in.live.take(), reason, told.clone());
                told
            }
            fault => self.not_connected(fault),
        };
        self.answer(reply, Err(told));
    }

    pub fn connected_while_signing_in(&mut self, outcome: Result<Opened, Fault>) {
        let Some(sign_in) = self.take_sign_in() else { return };
        let SignIn { stage, options, live, opened, host, redirect, expires_at, job } = sign_in;
        match stage {
            Stage::Probing { reply } => self.probed(outcome, options, reply),
            Stage::Connecting { reply, used } => match outcome {
                Ok(opened) => {
                    self.shared.kept.keep_redirect(&used.issuer, used.redirect);
                    self.connected(opened);
                    self.answer(reply, Ok(self.id.clone()));
                }
                Err(fault) => {
                    let told = self.not_connected(&fault);
                    self.answer(reply, Err(told));
                }
            },
            stage @ (Stage::Preparing { .. } | Stage::Waiting(_) | Stage::Exchanging { .. }) => {
                let sign_in = SignIn { stage, options, live, opened, host, redirect, expires_at, job };
                self.phase = Phase::SigningIn(Box::new(sign_in));
            }
        }
    }

    pub fn cancel_sign_in(&mut self) {
        let Some(sign_in) = self.take_sign_in() else { return };
        let cancelled = error(Code::AuthorizationDenied, "The sign-in was cancelled.", "Sign in again.");
        let live = self.end(sign_in, &cancelled);
        self.last_error = None;
        self.return_to(live, NeedsSignIn::NeverSignedIn);
    }

    pub fn sign_in_timed_out(&mut self) {
        let Some(sign_in) = self.take_sign_in() else { return };
        let late = error(
            Code::AuthorizationExpired,
            "The browser did not come back in time.",
            "Sign in again. If its page showed an error, try another way back.",
        );
        let live = self.end(sign_in, &late);
        self.fall_back(live, NeedsSignIn::NeverSignedIn, late);
    }

    /// Tells whoever waits for a sign-in that it is over, and gives back what still works.
    pub fn end(&mut self, sign_in: SignIn, why: &ErrorView) -> Option<Live> {
        match sign_in.stage {
            Stage::Probing { reply } | Stage::Preparing { reply, .. } => {
                self.answer(reply, Err(why.clone()));
            }
            Stage::Waiting(waiting) => {
                self.keep_pending(None);
                // Nobody came back with a registration of an earlier time: it may be dead at the other side, where
                // only the browser shows it. The next sign-in registers anew.
                if waiting.reused_registration {
                    let registration = &waiting.pending.client().registration;
                    self.shared.kept.forget_client(&registration.issuer, &registration.client_id);
                }
            }
            Stage::Exchanging { reply, used } | Stage::Connecting { reply, used } => {
                used.given_up.cancel();
                self.answer(reply, Err(why.clone()));
            }
        }
        sign_in.live
    }

    pub fn fall_back(&mut self, live: Option<Live>, fallback: NeedsSignIn, why: ErrorView) {
        self.last_error = Some(why);
        if fallback != NeedsSignIn::NeverSignedIn {
            self.lost = Some(fallback);
        }
        self.return_to(live, fallback);
    }

    pub fn return_to(&mut self, live: Option<Live>, fallback: NeedsSignIn) {
        self.forget_jobs();
        self.phase = match live {
            Some(live) => Phase::Connected(live),
            None if self.step_up.is_some() => {
                Phase::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded }
            }
            None => Phase::NeedsSignIn { reason: self.lost.unwrap_or(fallback) },
        };
    }

    pub fn take_sign_in(&mut self) -> Option<SignIn> {
        match std::mem::replace(&mut self.phase, Phase::Disabled) {
            Phase::SigningIn(sign_in) => Some(*sign_in),
            phase => {
                self.phase = phase;
                None
            }
        }
    }

    pub fn keep_pending(&self, pending: Option<&PendingAuthorization>) {
        if let Some(place) = &self.place {
            place.waiting_request.set(&self.shared, &self.id, pending);
        }
    }

    fn forget_resource_parameter(&self, mut discovered: usher_oauth::Discovered) {
        discovered.sends_resource = false;
        if let Some(site) = self.place.as_ref().and_then(|place| place.site_at_hand()) {
            self.shared.kept.amend_discovered(&site.url, discovered);
        }
    }
}
