//! Transitions of a step-up: the person grants or declines the permission that calls wait for.

use usher_api::{ErrorView, NeedsSignIn, PermissionView};
use usher_config::display_text;
use usher_oauth::Scopes;

use super::phase::Phase;
use super::state::ServerTask;
use crate::words;

impl ServerTask {
    /// Lets the waiting calls retry with the new grant.
    pub fn grant_permission(&mut self) {
        for call in self.step_up.take_calls() {
            self.outbox.reply(call.reply, Ok(()));
        }
    }

    pub fn decline_permission(&mut self) {
        self.fail_waiting_calls(&words::server::permission_declined(&self.name()));
        // The next sign-in does not ask for these scopes again, unless the connection needs them.
        if !self.connection_needs_permission() {
            self.step_up.forget();
        }
    }

    /// Fails the waiting calls.
    pub fn fail_waiting_calls(&mut self, why: &ErrorView) {
        for call in self.step_up.take_calls() {
            self.outbox.reply(call.reply, Err(why.clone()));
        }
    }

    fn connection_needs_permission(&self) -> bool {
        matches!(self.phase.get(), Phase::NeedsSignIn { reason: NeedsSignIn::InsufficientScope })
    }

    /// Returns the permission to ask the person for.
    pub fn permission(&self) -> Option<PermissionView> {
        let call = self.step_up.first_call();
        if call.is_none() && !self.connection_needs_permission() {
            return None;
        }
        let scopes = self.step_up.challenge().and_then(|challenge| challenge.scope.as_ref());
        let scopes = scopes.into_iter().flat_map(Scopes::iter);
        Some(PermissionView {
            scopes: scopes.map(|scope| display_text(scope, 200)).collect(),
            tool_title: call.map(|call| display_text(&call.tool_title, 200)),
        })
    }
}
