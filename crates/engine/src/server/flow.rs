//! The beginning of a sign-in, as transitions of the server's task: asked for, probed, prepared, waiting.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use usher_oauth::{BearerChallenge, PendingAuthorization, RedirectUri, Scopes};

use super::connect::Opened;
use super::connecting::paused;
use super::phase::{Asked, Job, Live, Phase, SignIn, Stage, Waiting};
use super::task::ServerTask;
use super::{Message, Outcome};
use crate::clock::later;
use crate::connection::fault::Fault;
use crate::credentials::CredentialFault;
use crate::describe::{describe_fault, error};
use crate::server::site::Place;
use crate::sign_in::flows::{Flow, OpenFlow};
use crate::sign_in::ladder;
use crate::sign_in::{Preparation, Prepared};
use crate::{
    AuthorizationRequestView, Code, ErrorView, NeedsSignIn, RedirectKind, SignInOptions, SignInStep,
};

impl ServerTask {
    /// Begins a sign-in; one that is under way ends.
    pub fn sign_in(&mut self, options: SignInOptions, reply: Asked) {
        let Some(place) = self.place.clone() else {
            self.answer(reply, Err(self.cannot("it is of a kind that Usher does not run yet")));
            return;
        };
        if place.oauth.off {
            self.answer(
                reply,
                Err(self.cannot("an Authorization header stands in mcp.json, which turns it off")),
            );
            return;
        }
        let live = match std::mem::replace(&mut self.phase, Phase::Disabled) {
            Phase::Disabled => {
                self.answer(reply, Err(self.cannot("the server is turned off")));
                return;
            }
            Phase::Paused => {
                self.phase = Phase::Paused;
                self.answer(reply, Err(paused()));
                return;
            }
            Phase::Connected(live) => Some(live),
            Phase::SigningIn(mut sign_in) => {
                let probe = sign_in.job.take().filter(|_| matches!(sign_in.stage, Stage::Probing { .. }));
                let live = self.end(*sign_in, &superseded());
                if probe.is_some() {
                    self.phase = signing_in(Stage::Probing { reply }, options, live, probe);
                    return;
                }
                live
            }
            // The first request runs already, and brings the challenge: nothing is asked twice.
            Phase::Connecting { job } if self.challenge.is_none() => {
                let stage = Stage::Probing { reply };
                self.phase = signing_in(stage, options, None, Some(job));
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
            self.answer(reply, Err(waiting()));
            return;
        };
        let next = match (&sign_in.stage, sign_in.redirect.map(ladder::next)) {
            (Stage::Waiting(_), Some(Some(next))) => next,
            (Stage::Waiting(_), Some(None) | None) => {
                let message = "There is no other way back from the browser.";
                let told = error(Code::RedirectRejected, message, "Ask the service's operator.");
                self.answer(reply, Err(told));
                return;
            }
            _ => {
                self.answer(reply, Err(waiting()));
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
        let receives_links = sign_in.options.receives_links.unwrap_or(self.shared.options.receives_links);
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
        let (server, shared, who) = (self.id.clone(), Arc::clone(&self.shared), self.who());
        let job = self.job(async move {
            let work = async {
                let site = place.site().await.map_err(|fault| describe_fault(&fault, &who))?;
                let configured_redirect = place.oauth.redirect;
                let preparation = Preparation {
                    server,
                    shared,
                    site,
                    challenge,
                    asked_redirect,
                    receives_links,
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
            sign_in.job = Some(job);
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
                let now = self.shared.options.clock.now();
                let expires_at = later(now, self.shared.options.sign_in_timeout);
                let request = self.wait(*prepared, options, live, expires_at);
                self.answer(reply, Ok(request));
            }
            Err(failure) => {
                self.answer(reply, Err(failure.clone()));
                self.fall_back(live, NeedsSignIn::NeverSignedIn, failure);
            }
        }
    }

    /// Hands the request to the browser and waits for the answer.
    fn wait(
        &mut self,
        prepared: Prepared,
        options: SignInOptions,
        live: Option<Live>,
        expires_at: Timestamp,
    ) -> AuthorizationRequestView {
        let Prepared { pending, redirect, loopback, reused_registration } = prepared;
        let expires_at = expires_at.min(pending.expires_at());
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
        // A port is gone with the process that listens at it; a link finds the next one.
        self.keep_pending(loopback.is_none().then_some(&pending));
        self.waited = true;
        self.last_error = None;
        let now = self.shared.options.clock.now();
        let patience = Duration::try_from(expires_at.duration_since(now)).unwrap_or_default();
        let job = self.job(async move {
            tokio::time::sleep(patience).await;
            Outcome::Due
        });
        let shared = Arc::clone(&self.shared);
        let stage = Stage::Waiting(Waiting {
            pending: Box::new(pending),
            reused_registration,
            listening: loopback.map(|loopback| loopback.listen(shared)),
            _flow: open,
        });
        self.phase = Phase::SigningIn(Box::new(SignIn {
            stage,
            options,
            live,
            opened: None,
            host: Some(request.host.clone()),
            redirect: Some(redirect),
            expires_at: Some(expires_at),
            job: Some(job),
        }));
        request
    }

    /// A sign-in that the run before left waiting.
    pub fn resume(&mut self, pending: PendingAuthorization) {
        // What this run itself sent to the browser needs no finding, and must not come back once it is over.
        if self.place.is_none() || self.waited || pending.expires_at() <= self.shared.options.clock.now() {
            return;
        }
        let live = match std::mem::replace(&mut self.phase, Phase::Disabled) {
            phase @ (Phase::SigningIn(_) | Phase::Disabled | Phase::Paused | Phase::Unsupported { .. }) => {
                self.phase = phase;
                return;
            }
            Phase::Connected(live) => Some(live),
            Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => None,
        };
        let (redirect, expires_at) = (kind_of(pending.redirect_uri()), pending.expires_at());
        let prepared = Prepared { pending, redirect, loopback: None, reused_registration: false };
        self.wait(prepared, SignInOptions::default(), live, expires_at);
    }

    pub fn browser_opened(&mut self) {
        let now = self.shared.options.clock.now();
        if let Phase::SigningIn(sign_in) = &mut self.phase {
            sign_in.opened = Some(now);
        }
    }

    /// The first request is answered: with its challenge the sign-in goes on.
    pub fn probed(&mut self, outcome: Result<Opened, Fault>, options: SignInOptions, reply: Asked) {
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
            Err(Fault::InsufficientScope { challenge }) => {
                self.note_step_up(&challenge);
                None
            }
            Err(Fault::Credentials(
                CredentialFault::Over | CredentialFault::Expired | CredentialFault::RegistrationLost(_),
            )) => None,
            Err(fault) => {
                let told = self.not_connected(&fault);
                self.answer(reply, Err(told));
                return;
            }
        };
        let Some(place) = self.place.clone() else { return };
        self.phase =
            signing_in(Stage::Preparing { step: SignInStep::Discovering, reply }, options, live, None);
        self.prepare(place, None);
    }

    fn knows_metadata(&self, place: &Place) -> bool {
        place.site_at_hand().is_some_and(|site| self.shared.kept.discovered(&site.url).is_some())
    }

    fn cannot(&self, why: &str) -> ErrorView {
        error(
            Code::ConfigInvalid,
            format!("{} cannot be signed in to: {why}.", self.id),
            "Change it in mcp.json.",
        )
    }
}

fn signing_in(stage: Stage, options: SignInOptions, live: Option<Live>, job: Option<Job>) -> Phase {
    let (opened, host, redirect, expires_at) = (None, None, None, None);
    Phase::SigningIn(Box::new(SignIn { stage, options, live, opened, host, redirect, expires_at, job }))
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
