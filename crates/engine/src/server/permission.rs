//! The permission that a server wants and nobody gave yet, and the calls that wait for it.

use tokio::sync::oneshot;
use usher_config::display_text;
use usher_oauth::{BearerChallenge, Scopes};

use super::phase::Phase;
use super::task::ServerTask;
use crate::describe::error;
use crate::{Code, ErrorView, NeedsSignIn, PermissionView};

/// A call that was answered with `insufficient_scope`.
pub(crate) struct PermissionNeeded {
    pub challenge: Box<BearerChallenge>,
    /// What the person wanted to do, in the server's words.
    pub for_what: String,
    /// Told once the permission is there, or why it will not be. A caller that goes away drops the other end.
    pub reply: oneshot::Sender<Result<(), ErrorView>>,
}

impl ServerTask {
    pub fn permission_needed(&mut self, needed: PermissionNeeded) {
        self.note_step_up(&needed.challenge);
        self.waiting_calls.push(needed);
    }

    /// Adds what a 403 asks for to what was asked for before and not granted yet: one consent for all of it.
    pub fn note_step_up(&mut self, challenge: &BearerChallenge) {
        let mut wanted = challenge.clone();
        if let Some(before) = self.step_up.take() {
            let scopes = before.scope.unwrap_or_default().union(&wanted.scope.unwrap_or_default());
            wanted.scope = (!scopes.is_empty()).then_some(scopes);
        }
        self.step_up = Some(wanted);
    }

    pub fn permission_abandoned(&mut self) {
        self.waiting_calls.retain(|call| !call.reply.is_closed());
    }

    /// A new sign-in stands: the calls go on, and find out whether it is enough.
    pub fn permission_given(&mut self) {
        for call in std::mem::take(&mut self.waiting_calls) {
            self.answer(call.reply, Ok(()));
        }
    }

    pub fn permission_declined(&mut self) {
        let declined = error(
            Code::InsufficientScope,
            format!("{} was not given the permission that this needs.", self.name()),
            "Do it again to be asked again.",
        );
        self.refuse_calls(&declined);
        // The next sign-in is for what it is for, and does not ask for this once more.
        if !self.connection_needs_permission() {
            self.step_up = None;
        }
    }

    /// What waits for a permission is told that it will not come.
    pub fn refuse_calls(&mut self, why: &ErrorView) {
        for call in std::mem::take(&mut self.waiting_calls) {
            self.answer(call.reply, Err(why.clone()));
        }
    }

    fn connection_needs_permission(&self) -> bool {
        matches!(self.phase, Phase::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded })
    }

    pub fn permission(&self) -> Option<PermissionView> {
        let call = self.waiting_calls.first();
        if call.is_none() && !self.connection_needs_permission() {
            return None;
        }
        let scopes = self.step_up.as_ref().and_then(|challenge| challenge.scope.as_ref());
        Some(PermissionView {
            scopes: scopes
                .map(Scopes::iter)
                .into_iter()
                .flatten()
                .map(|scope| display_text(scope, 200))
                .collect(),
            for_what: call.map(|call| display_text(&call.for_what, 200)),
        })
    }
}
