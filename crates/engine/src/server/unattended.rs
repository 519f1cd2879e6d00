//! Transitions of a sign-in without a person: it starts automatically when the server asks for a token.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use usher_api::{Code, ErrorView, NeedsSignIn, SignInStep};

use super::message::Outcome;
use super::phase::{Live, Phase, Port, SignIn, Stage, Used};
use super::state::ServerTask;
use crate::endpoint::http::HttpEndpoint;
use crate::options::SignInOptions;
use crate::sign_in::exchange::store;
use crate::sign_in::prepare::UnattendedGrant;

impl ServerTask {
    /// Starts a sign-in if the server needs a token and the entry needs no person for it. A person who signed out has to
    /// start it again. Returns whether it started.
    pub fn sign_in_unattended(&mut self) -> bool {
        let endpoint = self.endpoint.http().filter(|http| http.flow().is_unattended() && !http.oauth.off);
        let Some(endpoint) = endpoint.cloned() else { return false };
        // Also in an earlier run.
        if self.context.learned.is_signed_out(&self.id) {
            self.next_sign_in.set_reason(NeedsSignIn::SignedOut);
        }
        if self.next_sign_in.reason() == Some(NeedsSignIn::SignedOut) {
            return false;
        }
        let live = self.phase.take_live();
        // No caller waits for the request.
        let (reply, _request) = oneshot::channel();
        let stage = Stage::Preparing { step: SignInStep::Discovering, reply };
        self.prepare(SignIn::new(endpoint, stage, SignInOptions::default(), live), None, false);
        true
    }

    /// Stores the grant, and then connects with it.
    pub fn store_unattended(
        &mut self,
        prepared: UnattendedGrant,
        endpoint: Arc<HttpEndpoint>,
        options: SignInOptions,
        live: Option<Live>,
    ) {
        let UnattendedGrant { grant, planned } = prepared;
        self.outbox.clear_error();
        self.step_up.set_requested(grant.scopes.clone());
        let given_up = CancellationToken::new();
        let used = Used {
            issuer: planned.issuer.clone(),
            redirect: None,
            given_up: given_up.clone(),
            reused_registration: false,
            _port: Port::None,
        };
        let storing = Arc::clone(&endpoint);
        self.jobs.run_to_end(async move {
            let outcome = match storing.resolve().await {
                Ok(resolved) => store(&storing, &resolved, &planned, grant, &given_up).await,
                Err(fault) => Err(fault),
            };
            Outcome::Exchanged(outcome)
        });
        let stage = Stage::Exchanging { reply: None, used };
        self.phase.enter(Phase::SigningIn(Box::new(SignIn::new(endpoint, stage, options, live))));
    }

    /// Ends a sign-in without a person that failed. It is tried again later, because an outage can cause most errors, also
    /// those of the metadata. A refused client needs other settings, and some errors need the person.
    pub fn unattended_failed(&mut self, live: Option<Live>, error: ErrorView) {
        self.jobs.ignore_outcomes();
        if let Some(live) = live {
            self.outbox.set_error(error);
            return self.phase.enter(Phase::Connected(live));
        }
        let needs_person = matches!(
            error.code,
            Code::ConfigInvalid | Code::EndpointsUnconfirmed | Code::SecretNotAllowed | Code::KeychainLocked
        );
        if needs_person {
            self.fail(error);
        } else {
            let attempt = self.next_sign_in.note_failure();
            self.fail_with_retry(error, attempt);
        }
    }
}
