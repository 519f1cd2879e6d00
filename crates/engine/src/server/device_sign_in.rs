//! Transitions of a sign-in on another device: waiting for it, and finding it again after a restart.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use usher_api::DeviceSignInView;
use usher_oauth::DeviceAuthorization;

use super::message::{Message, Outcome};
use super::phase::{Live, Phase, SignIn, Stage, WaitingDevice};
use super::state::ServerTask;
use crate::endpoint::http::HttpEndpoint;
use crate::options::SignInOptions;
use crate::sign_in::device::wait;
use crate::sign_in::prepare::PreparedDevice;

impl ServerTask {
    /// Enters the stage that waits for the person, and starts the job that polls. The request is stored, so that the
    /// sign-in survives a restart.
    pub fn wait_for_device(
        &mut self,
        prepared: PreparedDevice,
        endpoint: Arc<HttpEndpoint>,
        options: SignInOptions,
        live: Option<Live>,
    ) -> DeviceSignInView {
        let PreparedDevice { device, reused_registration } = prepared;
        let view = view(&device);
        self.step_up.set_requested(device.scopes().clone());
        endpoint.persisted.set(&self.context, &self.id, Some(device.to_secret()));
        endpoint.persisted.mark_used();
        self.context.learned.set_device_sign_in(&self.id, Some(view.expires_at));
        self.outbox.clear_error();
        let issuer = device.discovered().metadata.issuer.clone();
        let given_up = CancellationToken::new();
        let stop = given_up.child_token();
        let polls = wait(Arc::clone(&endpoint), device, given_up.clone(), stop.clone());
        self.jobs.run_to_end(async move { Outcome::Exchanged(polls.await) });
        let waiting = WaitingDevice {
            view: view.clone(),
            issuer,
            reused_registration,
            given_up,
            _polls: stop.drop_guard(),
        };
        self.phase.enter(Phase::SigningIn(Box::new(SignIn {
            host: Some(view.host.clone()),
            expires_at: Some(view.expires_at),
            ..SignIn::new(endpoint, Stage::WaitingForDevice(waiting), options, live)
        })));
        view
    }

    /// Looks for a sign-in of the previous run, if the server needs one now. The secret store is read only if there was
    /// one.
    pub fn find_device_sign_in(&self) {
        let now = self.context.options.clock.now();
        let is_needed = matches!(self.phase.get(), Phase::NeedsSignIn { .. })
            && self.endpoint.http().is_some_and(|http| !http.persisted.is_used())
            && self.context.learned.waits_for_device(&self.id, now);
        if !is_needed {
            return;
        }
        let (context, id, send) = (Arc::clone(&self.context), self.id.clone(), self.jobs.message_sender());
        self.context.tasks.spawn(async move {
            let found = context.stores.run(|store| async move { store.pending(&id.0).await }).await;
            let device = found.ok().flatten().and_then(|secret| DeviceAuthorization::from_secret(&secret));
            if let Some(device) = device {
                send(Message::RestoreDevice(Box::new(device)));
            }
        });
    }

    /// Continues a sign-in of the previous run, unless it has expired or does not belong to the server's entry any more.
    pub fn restore_device(&mut self, device: DeviceAuthorization) {
        let Some(endpoint) = self.endpoint.http().cloned() else { return };
        let is_wanted = matches!(self.phase.get(), Phase::NeedsSignIn { .. })
            && !endpoint.persisted.is_used()
            && device.expires_at() > self.context.options.clock.now();
        if !is_wanted {
            return;
        }
        if !endpoint.permits(&device.binding()) {
            tracing::warn!(server = %self.id, "the waiting sign-in belongs to another server or client; it ends");
            return self.forget_pending();
        }
        let prepared = PreparedDevice { device, reused_registration: true };
        self.wait_for_device(prepared, endpoint, SignInOptions::default(), None);
    }
}

fn view(device: &DeviceAuthorization) -> DeviceSignInView {
    let complete = device.verification_uri_complete();
    DeviceSignInView {
        user_code: device.user_code().to_owned(),
        verification_uri: device.verification_uri().as_str().to_owned(),
        verification_uri_complete: complete.map(|complete| complete.as_str().to_owned()),
        host: device.verification_uri().host().to_owned(),
        expires_at: device.expires_at(),
    }
}
