//! Transitions at the beginning of a sign-in: probing, preparing, waiting for the browser.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use usher_api::{AuthorizationRequestView, ErrorView, NeedsSignIn, RedirectKind, SignInRequest, SignInStep};
use usher_oauth::{Challenge, Flow, PendingAuthorization, RedirectUri, Scopes};

use super::message::{Outcome, RequestReply};
use super::phase::{Live, Phase, Port, SignIn, Stage, Waiting};
use super::state::ServerTask;
use crate::clock::later;
use crate::connection::Opened;
use crate::connection::fault::Fault;
use crate::endpoint::http::HttpEndpoint;
use crate::options::SignInOptions;
use crate::sign_in::callback::WaitingSignIn;
use crate::sign_in::prepare::{Preparation, Prepared, PreparedSignIn, Receiver};
use crate::sign_in::redirect_ladder::{self, Attempt};
use crate::words;
use crate::words::connection::describe_fault;

impl ServerTask {
    /// Starts a sign-in, and ends a running one.
    pub fn sign_in(&mut self, options: SignInOptions, reply: RequestReply) {
        let Some(endpoint) = self.endpoint.http().cloned() else {
            return self.reject_sign_in(reply, "Usher does not support this kind of service yet");
        };
        if endpoint.oauth.off {
            return self
                .reject_sign_in(reply, "mcp.json sets an Authorization header, so Usher does not use OAuth");
        }
        if matches!(self.phase.get(), Phase::Disabled) {
            return self.reject_sign_in(reply, "the service is turned off");
        }
        if matches!(self.phase.get(), Phase::Paused) {
            return self.outbox.reply(reply, Err(words::server::paused()));
        }
        self.context.learned.set_signed_out(&self.id, false);
        let (live, probe) = match self.phase.take() {
            Phase::Connected(live) => (Some(live), None),
            Phase::SigningIn(mut sign_in) => {
                let probe = sign_in.job.take().filter(|_| matches!(sign_in.stage, Stage::Probing { .. }));
                (self.end_sign_in(*sign_in, &words::sign_in::superseded()), probe)
            }
            // The running request returns the challenge, so no second request is needed.
            Phase::Connecting { job, .. } if self.next_sign_in.challenge().is_none() => (None, Some(job)),
            Phase::Disabled
            | Phase::Paused
            | Phase::Connecting { .. }
            | Phase::NeedsSignIn { .. }
            | Phase::Reconnecting { .. }
            | Phase::Failed { .. } => (None, None),
        };
        let knows_metadata =
            self.next_sign_in.challenge().is_some() || live.is_some() || self.knows_metadata(&endpoint);
        if probe.is_none() && knows_metadata {
            let stage = Stage::Preparing { step: SignInStep::Discovering, reply };
            return self.prepare(SignIn::new(endpoint, stage, options, live), None, false);
        }
        let job = probe.unwrap_or_else(|| self.connect_job());
        let sign_in = SignIn::new(endpoint, Stage::Probing { reply }, options, live);
        self.phase.enter(Phase::SigningIn(Box::new(SignIn { job: Some(job), ..sign_in })));
    }

    /// Restarts the sign-in with the next redirect or without `prompt`, because the page in the browser shows an error.
    pub fn next_redirect(&mut self, reply: RequestReply) {
        let Some(sign_in) = self.phase.take_sign_in() else {
            return self.outbox.reply(reply, Err(words::sign_in::none_waiting()));
        };
        let next = match &sign_in.stage {
            Stage::Waiting(waiting) => {
                let omitted_before = waiting.pending.discovered().quirks.rejects_prompt;
                let attempt = sign_in.redirect.and_then(|redirect| self.next_attempt(redirect, waiting));
                attempt
                    .map(|attempt| (attempt.kind, attempt.omits_prompt || omitted_before))
                    .ok_or_else(words::sign_in::no_other_redirect)
            }
            Stage::Probing { .. }
            | Stage::Preparing { .. }
            | Stage::WaitingForDevice(_)
            | Stage::Exchanging { .. }
            | Stage::Connecting { .. } => Err(words::sign_in::none_waiting()),
        };
        match next {
            Ok((next, omits_prompt)) => {
                let (endpoint, options) = (Arc::clone(&sign_in.endpoint), sign_in.options.clone());
                let live = self.end_sign_in(sign_in, &words::sign_in::superseded());
                let stage = Stage::Preparing { step: SignInStep::Registering, reply };
                self.prepare(SignIn::new(endpoint, stage, options, live), Some(next), omits_prompt);
            }
            Err(error) => {
                self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
                self.outbox.reply(reply, Err(error));
            }
        }
    }

    /// Returns the attempt to offer while a sign-in waits for the browser.
    pub fn next_attempt(&self, redirect: RedirectKind, waiting: &Waiting) -> Option<Attempt> {
        let issuer = &waiting.pending.discovered().metadata.issuer;
        let has_worked = self.context.learned.redirect(issuer) == Some(redirect);
        redirect_ladder::next_attempt(redirect, waiting.pending.adds_prompt(), has_worked)
    }

    /// Handles the response to the first request, and continues the sign-in with its challenge.
    pub fn probed(
        &mut self,
        outcome: Result<Opened, Fault>,
        endpoint: Arc<HttpEndpoint>,
        options: SignInOptions,
        reply: RequestReply,
    ) {
        let live = match outcome {
            Ok(opened) => {
                self.connected(opened);
                self.phase.take_live()
            }
            Err(Fault::Unauthorized { challenge, token_sent }) => {
                self.note_challenge(challenge.as_deref(), token_sent);
                None
            }
            Err(Fault::InsufficientScope { challenge }) => {
                self.step_up.note_scopes(&challenge);
                None
            }
            Err(Fault::Credentials(fault)) if fault.sign_in_reason().is_some() => None,
            Err(fault) => {
                let error = self.not_connected(&fault);
                return self.outbox.reply(reply, Err(error));
            }
        };
        let stage = Stage::Preparing { step: SignInStep::Discovering, reply };
        self.prepare(SignIn::new(endpoint, stage, options, live), None, false);
    }

    /// Enters the sign-in phase, and starts the job that prepares the authorization request.
    pub fn prepare(&mut self, mut sign_in: SignIn, redirect: Option<RedirectKind>, omits_prompt: bool) {
        let endpoint = Arc::clone(&sign_in.endpoint);
        let options = &sign_in.options;
        let flow = if options.on_device { Flow::Device } else { endpoint.flow() };
        let requested_redirect = redirect.or(options.redirect);
        let receives_links = options.receives_links.unwrap_or(self.context.options.receives_links);
        let mut extra_scopes = Scopes::from(options.extra_scopes.clone());
        if let Some(step_up) = self.step_up.challenge() {
            let granted = endpoint
                .resolved()
                .and_then(|resolved| resolved.credentials.as_ref()?.held())
                .map(|grant| grant.scopes.clone())
                .unwrap_or_default();
            let required = step_up.scope.clone().unwrap_or_default();
            extra_scopes = granted.union(self.step_up.requested()).union(&required).union(&extra_scopes);
        }
        let challenge: Option<Challenge> =
            self.step_up.challenge().or(self.next_sign_in.challenge()).cloned();
        let confirmed_hosts = options.confirmed_hosts.clone();
        let report = self.jobs.step_reporter();
        let (server, context, label) = (self.id.clone(), Arc::clone(&self.context), self.label());
        let job = self.jobs.run(async move {
            let work = async {
                let resolved = endpoint.resolve().await.map_err(|fault| describe_fault(&fault, &label))?;
                let preparation = Preparation {
                    server,
                    context,
                    endpoint: resolved,
                    challenge,
                    flow,
                    assertion_file: endpoint.oauth.assertion_file.clone(),
                    requested_redirect,
                    omits_prompt,
                    receives_links,
                    configured_redirect: endpoint.oauth.redirect,
                    extra_scopes,
                    confirmed_hosts,
                };
                preparation.run(|step| report(Outcome::Step(step))).await
            };
            Outcome::Prepared(work.await.map(Box::new))
        });
        sign_in.job = Some(job);
        self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
    }

    pub fn set_step(&mut self, reached: SignInStep) {
        if let Some(sign_in) = self.phase.sign_in_mut()
            && let Stage::Preparing { step, .. } = &mut sign_in.stage
        {
            *step = reached;
        }
    }

    pub fn prepared(&mut self, outcome: Result<Box<PreparedSignIn>, ErrorView>) {
        let Some(mut sign_in) = self.phase.take_sign_in() else { return };
        let Stage::Preparing { reply, .. } = sign_in.stage else {
            return self.phase.enter(Phase::SigningIn(Box::new(sign_in)));
        };
        match outcome {
            Ok(prepared) => {
                let (endpoint, live, options) = (sign_in.endpoint, sign_in.live.take(), sign_in.options);
                let request = match *prepared {
                    PreparedSignIn::Unattended(grant) => {
                        self.store_unattended(*grant, endpoint, options, live);
                        SignInRequest::Unattended
                    }
                    PreparedSignIn::Browser(prepared) => {
                        let timeout = self.context.options.sign_in_timeout;
                        let expires_at = later(self.context.options.clock.now(), timeout);
                        SignInRequest::Browser(
                            self.wait_for_callback(prepared, endpoint, options, live, expires_at),
                        )
                    }
                    PreparedSignIn::Device(prepared) => {
                        SignInRequest::Device(self.wait_for_device(prepared, endpoint, options, live))
                    }
                };
                self.outbox.reply(reply, Ok(request));
            }
            Err(error) => {
                self.outbox.reply(reply, Err(error.clone()));
                if sign_in.endpoint.flow().is_unattended() && !sign_in.options.on_device {
                    return self.unattended_failed(sign_in.live.take(), error);
                }
                self.fall_back(sign_in.live.take(), NeedsSignIn::NeverSignedIn, error);
            }
        }
    }

    /// Enters the stage that waits for the callback.
    fn wait_for_callback(
        &mut self,
        prepared: Prepared,
        endpoint: Arc<HttpEndpoint>,
        options: SignInOptions,
        live: Option<Live>,
        expires_at: Timestamp,
    ) -> AuthorizationRequestView {
        let Prepared { pending, redirect, receiver, reused_registration } = prepared;
        let expires_at = expires_at.min(pending.expires_at());
        let request = AuthorizationRequestView {
            authorization_url: pending.authorization_url().to_string(),
            redirect_uri: pending.redirect_uri().as_str().to_owned(),
            host: pending.host().to_owned(),
            redirect,
            expires_at,
        };
        let sign_in = WaitingSignIn {
            server: self.id.clone(),
            request: request.clone(),
            redirect: pending.redirect_uri().clone(),
            deliver: self.jobs.deliver(),
        };
        let callback_registration = self.context.callbacks.register(pending.state().to_owned(), sign_in);
        self.step_up.set_requested(pending.scopes().clone());
        // A callback link or a pasted address can still reach the next process. A loopback port closes with this
        // process.
        let persisted = (!matches!(receiver, Receiver::Loopback(_))).then(|| pending.to_secret());
        endpoint.persisted.set(&self.context, &self.id, persisted);
        endpoint.persisted.mark_used();
        self.outbox.clear_error();
        let now = self.context.options.clock.now();
        let job = self.jobs.timer(Duration::try_from(expires_at.duration_since(now)).unwrap_or_default());
        let port = match receiver {
            Receiver::None => Port::None,
            Receiver::Loopback(loopback) => {
                let callbacks = Arc::clone(&self.context.callbacks);
                Port::Served(loopback.listen(callbacks, &self.context.tasks))
            }
            Receiver::Paste(reserved) => Port::Reserved(reserved),
        };
        let stage = Stage::Waiting(Waiting {
            pending: Box::new(pending),
            reused_registration,
            port,
            callback_registration,
        });
        self.phase.enter(Phase::SigningIn(Box::new(SignIn {
            host: Some(request.host.clone()),
            redirect: Some(redirect),
            expires_at: Some(expires_at),
            job: Some(job),
            ..SignIn::new(endpoint, stage, options, live)
        })));
        request
    }

    /// Restores a waiting sign-in of the previous run, or of the server's entry before it was changed. The sign-in ends
    /// if it does not belong to the entry any more: its code must not be exchanged elsewhere.
    pub fn restore_pending(&mut self, pending: PendingAuthorization) {
        let Some(endpoint) = self.endpoint.http().cloned() else { return };
        if endpoint.persisted.is_used() || pending.expires_at() <= self.context.options.clock.now() {
            return;
        }
        if matches!(self.phase.get(), Phase::SigningIn(_) | Phase::Disabled | Phase::Paused) {
            return;
        }
        if !endpoint.permits(&pending.binding()) {
            tracing::warn!(server = %self.id, "the waiting sign-in belongs to another server or client; it ends");
            return self.forget_pending();
        }
        let live = self.phase.take_live();
        let (redirect, expires_at) = (kind_of(pending.redirect_uri()), pending.expires_at());
        let prepared = Prepared { pending, redirect, receiver: Receiver::None, reused_registration: true };
        self.wait_for_callback(prepared, endpoint, SignInOptions::default(), live, expires_at);
    }

    pub fn browser_opened(&mut self) {
        let now = self.context.options.clock.now();
        if let Some(sign_in) = self.phase.sign_in_mut() {
            sign_in.opened = Some(now);
        }
    }

    fn knows_metadata(&self, endpoint: &HttpEndpoint) -> bool {
        endpoint.resolved().is_some_and(|resolved| self.context.learned.discovered(&resolved.key).is_some())
    }

    fn reject_sign_in(&mut self, reply: RequestReply, why: &str) {
        self.outbox.reply(reply, Err(words::server::cannot_sign_in(&self.id.0, why)));
    }
}

fn kind_of(redirect: &RedirectUri) -> RedirectKind {
    [RedirectKind::Link, RedirectKind::LinkWithHost]
        .into_iter()
        .find(|kind| redirect_ladder::fits(*kind, redirect))
        .unwrap_or(RedirectKind::Paste)
}
