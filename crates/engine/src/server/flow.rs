//! A server's sign-in, as transitions of its task: asked for, prepared, waiting, answered, connected.

use std::sync::Arc;

use futures::FutureExt;
use tokio::sync::oneshot;
use usher_oauth::{
    AuthorizationResponse, BearerChallenge, ErrorKind, Grant, PendingAuthorization, RedirectUri, Scopes,
};

use super::connect::{Opened, connect_with};
use super::phase::{Asked, Phase, SignIn, Stage, Told, Used, Waiting};
use super::task::ServerTask;
use super::{Message, Outcome};
use crate::clock::later;
use crate::credentials::CredentialFault;
use crate::describe::{describe_credential_fault, describe_fault, describe_oauth_error, error};
use crate::fault::Fault;
use crate::flows::{Flow, OpenFlow};
use crate::sign_in::{Preparation, Prepared};
use crate::site::Place;
use crate::{
    AuthorizationRequestView, Code, ErrorView, NeedsSignIn, RedirectKind, SignInOptions, SignInStep, ladder,
};

/// Step-ups of the handshake in a row, before it is given up.
const MAX_STEP_UPS: u32 = 3;

impl ServerTask {
    /// Begins a sign-in; one that is under way ends.
    pub fn sign_in(&mut self, options: SignInOptions, reply: Asked) {
        let Some(place) = self.place.clone() else {
            let _ = reply.send(Err(self.cannot("it is of a kind that Usher does not run yet")));
            return;
        };
        if place.oauth.off {
            let _ = reply
                .send(Err(self.cannot("an Authorization header stands in mcp.json, which turns it off")));
            return;
        }
        let live = match std::mem::replace(&mut self.phase, Phase::Disabled) {
            Phase::Disabled => {
                let _ = reply.send(Err(self.cannot("the server is switched off")));
                return;
            }
            Phase::Connected(live) => Some(live),
            Phase::SigningIn(sign_in) => {
                let live = self.end(*sign_in, &superseded());
                // What was under way brought the challenge, or still does; its result is not waited for.
                live
            }
            // The first request runs already, and brings the challenge: nothing is asked twice.
            Phase::Connecting { _job } if self.challenge.is_none() => {
                let stage = Stage::Probing { reply };
                self.phase = signing_in(stage, options, None, Some(_job));
                return;
            }
            Phase::Unsupported { .. }
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => None,
        };
        let knows_the_way = self.challenge.is_some() || live.is_some() || self.knows_metadata(&place);
        if knows_the_way {
            self.phase =
                signing_in(Stage::Preparing { step: SignInStep::Discovering, reply }, options, live, None);
            self.prepare(place, None);
        } else {
            let job = self.connect_job(place, false);
            self.phase = signing_in(Stage::Probing { reply }, options, live, Some(job));
        }
    }

    /// The page shows an error: the same sign-in with the next way back.
    pub fn next_redirect(&mut self, reply: Asked) {
        let waiting =
            || error(Code::AuthorizationExpired, "No sign-in waits for the browser.", "Sign in again.");
        let (Some(place), Phase::SigningIn(sign_in)) = (self.place.clone(), &self.phase) else {
            let _ = reply.send(Err(waiting()));
            return;
        };
        let next = match (&sign_in.stage, sign_in.redirect.map(ladder::next)) {
            (Stage::Waiting(_), Some(Some(next))) => next,
            (Stage::Waiting(_), Some(None) | None) => {
                let message = "There is no other way back from the browser.";
                let _ =
                    reply.send(Err(error(Code::RedirectRejected, message, "Ask the service's operator.")));
                return;
            }
            _ => {
                let _ = reply.send(Err(waiting()));
                return;
            }
        };
        let Phase::SigningIn(sign_in) = std::mem::replace(&mut self.phase, Phase::Disabled) else { return };
        let options = sign_in.options.clone();
        let live = self.end(*sign_in, &superseded());
        let stage = Stage::Preparing { step: SignInStep::Registering, reply };
        self.phase = signing_in(stage, options, live, None);
        self.prepare(place, Some(next));
    }

    fn prepare(&mut self, place: Arc<Place>, redirect: Option<RedirectKind>) {
        let Phase::SigningIn(sign_in) = &self.phase else { return };
        let asked_redirect = redirect.or(sign_in.options.redirect);
        let mut extra_scopes = Scopes::from(sign_in.options.extra_scopes.clone());
        let site = place.site_at_hand();
        if let Some(step_up) = &self.step_up {
            let granted = site
                .and_then(|site| site.credentials.as_ref()?.held())
                .map(|grant| grant.scopes.clone())
                .unwrap_or_default();
            let wanted = step_up.scope.clone().unwrap_or_default();
            extra_scopes = granted.union(&self.asked_scopes).union(&wanted).union(&extra_scopes);
        }
        let challenge: Option<BearerChallenge> = self.step_up.clone().or_else(|| self.challenge.clone());
        let (generation, inbox) = (self.upcoming_generation(), self.inbox.clone());
        let (server, shared, name) = (self.id.clone(), Arc::clone(&self.shared), self.name());
        let job = self.job(async move {
            let work = async {
                let site = place.site().await.map_err(|fault| describe_fault(&fault, &name))?;
                let configured_redirect = place.oauth.redirect;
                let preparation = Preparation {
                    server,
                    shared,
                    site,
                    challenge,
                    asked_redirect,
                    configured_redirect,
                    extra_scopes,
                };
                let report = |step| {
                    let _ = inbox.send(Message::Done { generation, outcome: Outcome::Step(step) });
                };
                preparation.run(report).await
            };
            Outcome::Prepared(work.await.map(Box::new))
        });
        if let Phase::SigningIn(sign_in) = &mut self.phase {
            sign_in._job = Some(job);
        }
    }

    pub fn preparing(&mut self, now_at: SignInStep) {
        if let Phase::SigningIn(sign_in) = &mut self.phase
            && let Stage::Preparing { step, .. } = &mut sign_in.stage
        {
            *step = now_at;
        }
    }

    pub fn prepared(&mut self, outcome: Result<Box<Prepared>, ErrorView>) {
        let Some(sign_in) = self.take_sign_in() else { return };
        let SignIn { stage: Stage::Preparing { reply, .. }, options, live, .. } = sign_in else {
            self.phase = Phase::SigningIn(Box::new(sign_in));
            return;
        };
        match outcome {
            Ok(prepared) => {
                let Prepared { pending, redirect, loopback, reused_registration } = *prepared;
                let mut fresh = SignIn { options, ..new_sign_in(Stage::Probing { reply }, live) };
                fresh.redirect = Some(redirect);
                let expires_at = later(self.shared.options.clock.now(), self.shared.options.sign_in_timeout);
                self.wait(fresh, Box::new(pending), expires_at, reused_registration, loopback);
            }
            Err(failure) => {
                let _ = reply.send(Err(failure.clone()));
                self.fall_back(live, NeedsSignIn::NeverSignedIn, failure);
            }
        }
    }

    /// Hands the request to the browser and waits for the answer.
    fn wait(
        &mut self,
        mut sign_in: SignIn,
        pending: Box<PendingAuthorization>,
        expires_at: jiff::Timestamp,
        reused_registration: bool,
        loopback: Option<crate::loopback::Loopback>,
    ) {
        let expires_at = expires_at.min(pending.expires_at());
        let redirect = sign_in.redirect.unwrap_or(RedirectKind::Paste);
        let request = AuthorizationRequestView {
            authorization_url: pending.authorization_url().to_string(),
            redirect_uri: pending.redirect_uri().as_str().to_owned(),
            host: pending.host().to_owned(),
            redirect,
            expires_at,
        };
        let flow = Flow {
            server: self.id.clone(),
            request: request.clone(),
            redirect: pending.redirect_uri().clone(),
            inbox: self.inbox.clone(),
        };
        let open = OpenFlow::new(Arc::clone(&self.shared), pending.state().to_owned(), flow);
        self.asked_scopes = pending.scopes().clone();
        if loopback.is_none() {
            self.keep_pending(&pending);
        }
        let now = self.shared.options.clock.now();
        let patience = std::time::Duration::try_from(expires_at.duration_since(now)).unwrap_or_default();
        let job = self.job(async move {
            tokio::time::sleep(patience).await;
            Outcome::Due
        });
        if let Stage::Probing { reply } | Stage::Preparing { reply, .. } = sign_in.stage {
            let _ = reply.send(Ok(request.clone()));
        }
        let shared = Arc::clone(&self.shared);
        sign_in.stage = Stage::Waiting(Waiting {
            pending,
            reused_registration,
            listening: loopback.map(|loopback| loopback.listen(shared)),
            _flow: open,
        });
        sign_in.host = Some(request.host);
        sign_in.expires_at = Some(expires_at);
        sign_in._job = Some(job);
        self.last_error = None;
        self.phase = Phase::SigningIn(Box::new(sign_in));
    }

    /// A sign-in that the run before left waiting.
    pub fn resume(&mut self, pending: Box<PendingAuthorization>) {
        if self.place.is_none() || pending.expires_at() <= self.shared.options.clock.now() {
            return;
        }
        let live = match std::mem::replace(&mut self.phase, Phase::Disabled) {
            phase @ (Phase::SigningIn(_) | Phase::Disabled | Phase::Unsupported { .. }) => {
                self.phase = phase;
                return;
            }
            Phase::Connected(live) => Some(live),
            Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => None,
        };
        let (reply, _nobody) = oneshot::channel();
        let mut sign_in = new_sign_in(Stage::Probing { reply }, live);
        sign_in.redirect = Some(kind_of(pending.redirect_uri()));
        let expires_at = pending.expires_at();
        self.wait(sign_in, pending, expires_at, false, None);
    }

    pub fn browser_opened(&mut self) {
        let now = self.shared.options.clock.now();
        if let Phase::SigningIn(sign_in) = &mut self.phase {
            sign_in.opened = Some(now);
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

    /// The answer came. One that is a stranger's leaves the sign-in waiting.
    pub fn complete(&mut self, response: AuthorizationResponse, reply: Told) {
        let over = || error(Code::AuthorizationExpired, "This sign-in is already over.", "Sign in again.");
        let Some(mut sign_in) = self.take_sign_in() else {
            let _ = reply.send(Err(over()));
            return;
        };
        let Stage::Waiting(waiting) = sign_in.stage else {
            let _ = reply.send(Err(over()));
            self.phase = Phase::SigningIn(Box::new(sign_in));
            return;
        };
        let Waiting { pending, reused_registration, listening, _flow } = waiting;
        let discovered = pending.discovered().clone();
        match (*pending).accept(response, self.shared.options.clock.now()) {
            Ok(code) => {
                drop(_flow);
                self.forget_pending();
                let redirect = sign_in.redirect.unwrap_or(RedirectKind::Paste);
                let used = Used { issuer: discovered.metadata.issuer, redirect, _listening: listening };
                let (place, clock) = (self.place.clone(), self.shared.options.clock.clone());
                // The code is good once: what it brings is fetched even when nobody waits for it any more.
                self.lasting_job(async move {
                    let Some(place) = place else { return Outcome::Due };
                    match place.site().await {
                        Ok(site) => {
                            let grant = usher_oauth::exchange(&site.http, code, clock.now()).boxed().await;
                            Outcome::Exchanged(grant.map(Box::new))
                        }
                        Err(fault) => Outcome::Connected(Err(fault)),
                    }
                });
                sign_in.stage = Stage::Exchanging { reply, used };
                sign_in._job = None;
                self.phase = Phase::SigningIn(Box::new(sign_in));
            }
            Err(rejected) => {
                let told = describe_oauth_error(&rejected.error);
                let _ = reply.send(Err(told.clone()));
                match rejected.pending {
                    Some(pending) => {
                        sign_in.stage =
                            Stage::Waiting(Waiting { pending, reused_registration, listening, _flow });
                        self.phase = Phase::SigningIn(Box::new(sign_in));
                    }
                    None => {
                        drop((_flow, listening));
                        self.forget_pending();
                        if matches!(rejected.error.kind, ErrorKind::ResourceRefused { .. }) {
                            self.forget_resource_parameter(discovered);
                        }
                        self.fall_back(sign_in.live.take(), NeedsSignIn::Refused, told);
                    }
                }
            }
        }
    }

    pub fn exchanged(&mut self, outcome: Result<Box<Grant>, usher_oauth::Error>) {
        let Some(mut sign_in) = self.take_sign_in() else { return };
        let Stage::Exchanging { reply, used } = sign_in.stage else {
            self.phase = Phase::SigningIn(Box::new(sign_in));
            return;
        };
        match (outcome, self.place.clone()) {
            (Ok(grant), Some(place)) => {
                self.lasting_job(async move { Outcome::Connected(connect_with(&place, *grant).await) });
                sign_in.stage = Stage::Connecting { reply, used };
                self.phase = Phase::SigningIn(Box::new(sign_in));
            }
            (Ok(_), None) => {}
            (Err(failure), _) => {
                let told = describe_oauth_error(&failure);
                let _ = reply.send(Err(told.clone()));
                let lost = failure.is_registration_lost();
                if lost {
                    self.shared.kept.forget_registrations(&used.issuer);
                }
                let reason = if lost { NeedsSignIn::RegistrationLost } else { NeedsSignIn::Refused };
                self.fall_back(sign_in.live.take(), reason, told);
            }
        }
    }

    pub fn connected_while_signing_in(&mut self, outcome: Result<Opened, Fault>) {
        let Some(sign_in) = self.take_sign_in() else { return };
        let SignIn { stage, options, live, opened, host, redirect, expires_at, _job } = sign_in;
        match stage {
            Stage::Probing { reply } => self.probed(outcome, options, reply),
            Stage::Connecting { reply, used } => match outcome {
                Ok(opened) => {
                    self.shared.kept.keep_redirect(&used.issuer, used.redirect);
                    self.connected(opened);
                    let _ = reply.send(Ok(self.id.clone()));
                }
                Err(fault) => {
                    let told = self.not_connected(&fault);
                    let _ = reply.send(Err(told));
                }
            },
            Stage::Exchanging { reply, used: _ } => {
                // The place itself could not be used: what it says is what the caller is told.
                if let Err(fault) = outcome {
                    let told = self.not_connected(&fault);
                    let _ = reply.send(Err(told));
                }
            }
            stage @ (Stage::Preparing { .. } | Stage::Waiting(_)) => {
                let sign_in = SignIn { stage, options, live, opened, host, redirect, expires_at, _job };
                self.phase = Phase::SigningIn(Box::new(sign_in));
            }
        }
    }

    /// The first request is answered: with its challenge the sign-in goes on.
    fn probed(&mut self, outcome: Result<Opened, Fault>, options: SignInOptions, reply: Asked) {
        let live = match outcome {
            Ok(opened) => {
                self.connected(opened);
                match std::mem::replace(&mut self.phase, Phase::Disabled) {
                    Phase::Connected(live) => Some(live),
                    _ => None,
                }
            }
            Err(Fault::Unauthorized { challenge, token_sent }) => {
                self.note_challenge(challenge.as_deref(), token_sent);
                None
            }
            Err(Fault::InsufficientScope { challenge }) if self.step_ups < MAX_STEP_UPS => {
                self.step_up = Some(*challenge);
                None
            }
            Err(Fault::Credentials(
                CredentialFault::Over | CredentialFault::Expired | CredentialFault::RegistrationLost(_),
            )) => None,
            Err(fault) => {
                let told = self.not_connected(&fault);
                let _ = reply.send(Err(told));
                return;
            }
        };
        let Some(place) = self.place.clone() else { return };
        self.phase =
            signing_in(Stage::Preparing { step: SignInStep::Discovering, reply }, options, live, None);
        self.prepare(place, None);
    }

    pub fn sign_out(&mut self, reply: oneshot::Sender<Result<(), ErrorView>>) {
        let Some(place) = self.place.clone() else {
            let _ = reply.send(Ok(()));
            return;
        };
        let inbox = self.inbox.clone();
        self.shared.tasks.spawn(async move {
            let outcome = super::sign_out::sign_out(&place).await;
            let _ = inbox.send(Message::SignedOut { outcome, reply });
        });
    }

    pub fn signed_out(
        &mut self,
        outcome: Result<(), CredentialFault>,
        reply: oneshot::Sender<Result<(), ErrorView>>,
    ) {
        match outcome {
            Ok(()) => {
                if let Some(sign_in) = self.take_sign_in() {
                    self.end(sign_in, &superseded());
                }
                self.lost = Some(NeedsSignIn::SignedOut);
                self.last_error = None;
                self.step_up = None;
                self.phase = Phase::NeedsSignIn { reason: NeedsSignIn::SignedOut };
                let _ = reply.send(Ok(()));
            }
            Err(fault) => {
                let _ = reply.send(Err(describe_credential_fault(&fault, &self.name())));
            }
        }
    }

    /// Tells whoever waits for a sign-in that it is over, and gives back what still works.
    fn end(&mut self, sign_in: SignIn, why: &ErrorView) -> Option<super::phase::Live> {
        match sign_in.stage {
            Stage::Probing { reply } | Stage::Preparing { reply, .. } => {
                let _ = reply.send(Err(why.clone()));
            }
            Stage::Waiting(waiting) => {
                self.forget_pending();
                // Nobody came back with a registration of an earlier time: it may be dead at the other side, where
                // only the browser shows it. The next sign-in registers anew.
                if waiting.reused_registration {
                    let registration = &waiting.pending.client().registration;
                    self.shared.kept.forget_client(&registration.issuer, &registration.client_id);
                }
            }
            Stage::Exchanging { reply, .. } | Stage::Connecting { reply, .. } => {
                let _ = reply.send(Err(why.clone()));
            }
        }
        sign_in.live
    }

    fn fall_back(&mut self, live: Option<super::phase::Live>, fallback: NeedsSignIn, why: ErrorView) {
        self.last_error = Some(why);
        if fallback != NeedsSignIn::NeverSignedIn {
            self.lost = Some(fallback);
        }
        self.return_to(live, fallback);
    }

    fn return_to(&mut self, live: Option<super::phase::Live>, fallback: NeedsSignIn) {
        self.phase = match live {
            Some(live) => Phase::Connected(live),
            None if self.step_up.is_some() => {
                Phase::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded }
            }
            None => Phase::NeedsSignIn { reason: self.lost.unwrap_or(fallback) },
        };
    }

    fn take_sign_in(&mut self) -> Option<SignIn> {
        match std::mem::replace(&mut self.phase, Phase::Disabled) {
            Phase::SigningIn(sign_in) => Some(*sign_in),
            phase => {
                self.phase = phase;
                None
            }
        }
    }

    fn knows_metadata(&self, place: &Place) -> bool {
        place.site_at_hand().is_some_and(|site| self.shared.kept.discovered(&site.url).is_some())
    }

    fn keep_pending(&self, pending: &PendingAuthorization) {
        let (shared, id, secret) = (Arc::clone(&self.shared), self.id.clone(), pending.to_secret());
        self.shared.tasks.spawn(async move {
            // Without it a restart in the middle of a sign-in means to begin it again, no more.
            if let Err(error) = shared.stores.get().put_pending(&id.0, &secret).await {
                tracing::debug!(server = %id, %error, "the waiting sign-in is not kept");
            }
        });
    }

    fn forget_pending(&self) {
        let (shared, id) = (Arc::clone(&self.shared), self.id.clone());
        self.shared.tasks.spawn(async move {
            let _ = shared.stores.get().delete_pending(&id.0).await;
        });
    }

    fn forget_resource_parameter(&self, mut discovered: usher_oauth::Discovered) {
        discovered.sends_resource = false;
        if let Some(site) = self.place.as_ref().and_then(|place| place.site_at_hand()) {
            self.shared.kept.amend_discovered(&site.url, discovered);
        }
    }

    fn cannot(&self, why: &str) -> ErrorView {
        error(
            Code::ConfigInvalid,
            format!("{} cannot be signed in to: {why}.", self.id),
            "Change it in mcp.json.",
        )
    }
}

fn new_sign_in(stage: Stage, live: Option<super::phase::Live>) -> SignIn {
    SignIn {
        stage,
        options: SignInOptions::default(),
        live,
        opened: None,
        host: None,
        redirect: None,
        expires_at: None,
        _job: None,
    }
}

fn signing_in(
    stage: Stage,
    options: SignInOptions,
    live: Option<super::phase::Live>,
    job: Option<super::phase::Job>,
) -> Phase {
    Phase::SigningIn(Box::new(SignIn { options, _job: job, ..new_sign_in(stage, live) }))
}

fn superseded() -> ErrorView {
    error(Code::AuthorizationExpired, "Another sign-in took the place of this one.", "Finish the newer one.")
}

fn kind_of(redirect: &RedirectUri) -> RedirectKind {
    [RedirectKind::Link, RedirectKind::LinkWithHost]
        .into_iter()
        .find(|kind| ladder::fits(*kind, redirect))
        .unwrap_or(RedirectKind::Paste)
}
