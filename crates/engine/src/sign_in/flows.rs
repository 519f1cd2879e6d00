//! The sign-ins that wait for their answer, by `state`: where an address from outside finds its owner.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{mpsc, oneshot};
use usher_oauth::{AuthorizationResponse, RedirectUri};

use crate::describe::{describe_oauth_error, error};
use crate::server::Message;
use crate::shared::Shared;
use crate::{AuthorizationRequestView, Code, ErrorView, ServerId};

/// One sign-in that waits for the browser.
pub(crate) struct Flow {
    pub server: ServerId,
    pub request: AuthorizationRequestView,
    pub redirect: RedirectUri,
    pub inbox: mpsc::UnboundedSender<Message>,
}

/// All of them. Entries are put in and taken out by the servers' tasks alone.
#[derive(Default)]
pub(crate) struct Flows(Mutex<HashMap<String, Flow>>);

/// An entry; taken out when dropped.
pub(crate) struct OpenFlow {
    shared: Arc<Shared>,
    state: String,
}

impl OpenFlow {
    pub fn new(shared: Arc<Shared>, state: String, flow: Flow) -> Self {
        shared.flows.lock().insert(state.clone(), flow);
        Self { shared, state }
    }
}

impl Drop for OpenFlow {
    fn drop(&mut self) {
        self.shared.flows.lock().remove(&self.state);
    }
}

impl Flows {
    /// The address that a server's sign-in waits with.
    pub fn request(&self, server: &ServerId) -> Option<AuthorizationRequestView> {
        self.lock().values().find(|flow| flow.server == *server).map(|flow| flow.request.clone())
    }

    /// Brings an address from outside to the sign-in it belongs to, and waits for what becomes of it. Whatever does
    /// not fit is refused here, and no sign-in notices.
    pub async fn complete(&self, raw: &str) -> Result<ServerId, ErrorView> {
        let (inbox, response) = self.find(raw)?;
        let (reply, outcome) = oneshot::channel();
        let ended = || error(Code::AuthorizationExpired, "This sign-in is already over.", "Sign in again.");
        inbox.send(Message::Complete { response, reply }).map_err(|_| ended())?;
        outcome.await.unwrap_or_else(|_| Err(ended()))
    }

    /// The same without waiting for the exchange: whether it belongs to a sign-in that waits.
    pub fn hand_over(&self, raw: &str) -> Result<(), ErrorView> {
        let (inbox, response) = self.find(raw)?;
        let (reply, _outcome) = oneshot::channel();
        let gone = |_| error(Code::AuthorizationExpired, "This sign-in is already over.", "Sign in again.");
        inbox.send(Message::Complete { response, reply }).map_err(gone)
    }

    /// The `state` of a well-formed answer to no sign-in of this run.
    pub fn unknown_state(&self, raw: &str) -> Option<String> {
        let links = [RedirectUri::custom_scheme(), RedirectUri::custom_scheme_with_host()];
        let flows = self.lock();
        let redirects = links.iter().chain(flows.values().map(|flow| &flow.redirect));
        let response = AuthorizationResponse::parse(raw, redirects).ok()?;
        (!flows.contains_key(response.state())).then(|| response.state().to_owned())
    }

    fn find(&self, raw: &str) -> Result<(mpsc::UnboundedSender<Message>, AuthorizationResponse), ErrorView> {
        let flows = self.lock();
        let links = [RedirectUri::custom_scheme(), RedirectUri::custom_scheme_with_host()];
        let redirects = links.iter().chain(flows.values().map(|flow| &flow.redirect));
        let response =
            AuthorizationResponse::parse(raw, redirects).map_err(|error| describe_oauth_error(&error))?;
        match flows.get(response.state()) {
            Some(flow) => Ok((flow.inbox.clone(), response)),
            None => Err(error(
                Code::AuthorizationExpired,
                "This answer belongs to no sign-in that waits.",
                "Finish the sign-in in the newest browser page, or start again.",
            )),
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Flow>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
