//! The sign-ins that wait for their callback, by `state`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use usher_api::{AuthorizationRequestView, ErrorView, ServerId};
use usher_oauth::{AuthorizationResponse, RedirectUri};

use crate::words::sign_in::{already_over, describe_oauth_error, unknown_state};

/// A sign-in that waits for the browser.
pub(crate) struct WaitingSignIn {
    pub server: ServerId,
    pub request: AuthorizationRequestView,
    pub redirect: RedirectUri,
    /// Delivers the callback to the server's task. Does nothing if the task has ended.
    pub deliver: Deliver,
}

pub(crate) type Deliver = Arc<dyn Fn(Callback) + Send + Sync>;

/// A callback for one sign-in, and the sender for its result.
pub(crate) struct Callback {
    pub response: AuthorizationResponse,
    pub reply: oneshot::Sender<Result<ServerId, ErrorView>>,
}

/// All waiting sign-ins of one engine. Only the servers' tasks add and remove entries.
#[derive(Default)]
pub(crate) struct Callbacks(Mutex<HashMap<String, WaitingSignIn>>);

/// The registration of a waiting sign-in. Dropping it removes the sign-in from [`Callbacks`].
pub(crate) struct CallbackRegistration {
    callbacks: Arc<Callbacks>,
    state: String,
}

impl Drop for CallbackRegistration {
    fn drop(&mut self) {
        self.callbacks.lock().remove(&self.state);
    }
}

impl Callbacks {
    pub fn register(self: &Arc<Self>, state: String, sign_in: WaitingSignIn) -> CallbackRegistration {
        self.lock().insert(state.clone(), sign_in);
        CallbackRegistration { callbacks: Arc::clone(self), state }
    }

    /// Returns the authorization request of a server's waiting sign-in.
    pub fn request(&self, server: &ServerId) -> Option<AuthorizationRequestView> {
        self.lock().values().find(|sign_in| sign_in.server == *server).map(|sign_in| sign_in.request.clone())
    }

    /// Delivers an untrusted callback and waits for the result. A callback that matches no waiting sign-in is rejected
    /// here and changes nothing.
    pub async fn complete(&self, raw: &str) -> Result<ServerId, ErrorView> {
        self.deliver(raw)?.await.unwrap_or_else(|_| Err(already_over()))
    }

    /// Delivers a callback without waiting for the exchange.
    pub fn hand_over(&self, raw: &str) -> Result<(), ErrorView> {
        self.deliver(raw).map(drop)
    }

    /// Returns the `state` of a well-formed callback that belongs to no waiting sign-in of this run.
    pub fn unknown_state(&self, raw: &str) -> Option<String> {
        let sign_ins = self.lock();
        let response = parse(raw, &sign_ins).ok()?;
        (!sign_ins.contains_key(response.state())).then(|| response.state().to_owned())
    }

    fn deliver(&self, raw: &str) -> Result<oneshot::Receiver<Result<ServerId, ErrorView>>, ErrorView> {
        let (deliver, response) = {
            let sign_ins = self.lock();
            let response = parse(raw, &sign_ins)?;
            let sign_in = sign_ins.get(response.state()).ok_or_else(unknown_state)?;
            (Arc::clone(&sign_in.deliver), response)
        };
        let (reply, outcome) = oneshot::channel();
        deliver(Callback { response, reply });
        Ok(outcome)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, WaitingSignIn>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Parses a callback for one of the allowed redirects: the links, and those of the waiting sign-ins.
fn parse(raw: &str, sign_ins: &HashMap<String, WaitingSignIn>) -> Result<AuthorizationResponse, ErrorView> {
    let links = [RedirectUri::custom_scheme(), RedirectUri::custom_scheme_with_host()];
    let redirects = links.iter().chain(sign_ins.values().map(|sign_in| &sign_in.redirect));
    AuthorizationResponse::parse(raw, redirects).map_err(|error| describe_oauth_error(&error))
}
