//! The methods that a test calls to script replies, plan faults, set breakpoints and hold replies.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::lock::lock;
use crate::{Action, FakeService, FamilyId, Moment, Reply, Request, TokenFault};

impl FakeService {
    /// Scripts the reply to a request line such as `POST /register`.
    pub fn on(&self, line: &str, reply: Reply) -> &Self {
        self.on_each(line, [reply])
    }

    /// Scripts successive replies; the last one is repeated.
    pub fn on_each(&self, line: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        lock(&self.shared.script).replies.insert(line.to_owned(), replies.into_iter().collect());
        self
    }

    /// Scripts the reply to every request that [`FakeService::on`] does not cover.
    pub fn on_all(&self, reply: Reply) -> &Self {
        self.intercept(move |_| Some(reply.clone().into_response()))
    }

    /// Calls `intercept` for each request that [`FakeService::on`] does not cover. If it returns `None`, the endpoint
    /// responds.
    pub fn intercept(
        &self,
        intercept: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> &Self {
        lock(&self.shared.script).intercept = Some(Arc::new(intercept));
        self
    }

    /// Changes fields of the authorization server metadata; null removes a field.
    pub fn change_server_metadata(&self, changes: Value) -> &Self {
        lock(&self.shared.script).metadata_changes = changes;
        self
    }

    /// Approves an authorization request as a person does in the browser, and returns the callback.
    pub fn approve(&self, authorization_url: &str) -> std::io::Result<String> {
        self.shared.authorize(authorization_url).map_err(std::io::Error::other)
    }

    /// Plans a fault for the next refresh of a family. If faults are already planned, the new fault follows them.
    pub fn add_fault(&self, family: FamilyId, fault: TokenFault) {
        lock(&self.shared.plans).entry(family).or_default().faults.push_back(fault);
    }

    /// Returns the number of a family's planned faults that have not occurred yet.
    pub fn faults_ahead(&self, family: FamilyId) -> usize {
        lock(&self.shared.plans).get(&family).map_or(0, |plan| plan.faults.len())
    }

    /// Runs `action` once, at the next `moment` of this family. [`Moment`] describes which response the request then
    /// gets. A family has one breakpoint; a new one replaces it.
    pub fn set_breakpoint(&self, family: FamilyId, moment: Moment, action: Action) {
        lock(&self.shared.plans).entry(family).or_default().breakpoint = Some((moment, action));
    }

    /// Removes the breakpoint of a family, if it was not reached.
    pub fn clear_breakpoint(&self, family: FamilyId) {
        lock(&self.shared.plans).entry(family).or_default().breakpoint = None;
    }

    /// Holds each reply of the token endpoint until [`FakeService::release_token_reply`]. The request itself is carried
    /// out before that.
    pub fn hold_token_replies(&self) {
        self.shared.gate.is_closed.store(true, Ordering::SeqCst);
    }

    /// Releases one reply of the token endpoint: a held reply or, if there is none, the next one.
    pub fn release_token_reply(&self) {
        self.shared.gate.released.add_permits(1);
    }

    /// Waits until every held reply is released or its client has disconnected.
    pub async fn until_no_reply_is_held(&self) {
        self.shared.gate.held.closed().await;
    }
}
