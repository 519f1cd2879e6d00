//! Step-up: the scopes that a 403 asks for, and the calls that wait for them.

use usher_budgets as budgets;
use usher_oauth::{Challenge, Scopes};

use super::message::PermissionNeeded;

#[derive(Default)]
pub(super) struct StepUp {
    /// The challenge of a 403 whose scopes are not granted yet.
    challenge: Option<Challenge>,
    /// The number of consecutive step-ups of the handshake.
    count: u32,
    /// The scopes of the last authorization request.
    requested: Scopes,
    waiting_calls: Vec<PermissionNeeded>,
    /// Whether a sign-in returned a grant that no connection has used yet. The waiting calls are retried with it.
    has_new_grant: bool,
}

impl StepUp {
    pub fn challenge(&self) -> Option<&Challenge> {
        self.challenge.as_ref()
    }

    pub fn requested(&self) -> &Scopes {
        &self.requested
    }

    pub fn set_requested(&mut self, scopes: Scopes) {
        self.requested = scopes;
    }

    pub fn note_new_grant(&mut self) {
        self.has_new_grant = true;
    }

    /// Returns whether there is a new grant, and resets the flag.
    pub fn take_new_grant(&mut self) -> bool {
        std::mem::take(&mut self.has_new_grant)
    }

    /// Adds a call that waits for its permission.
    pub fn wait_for(&mut self, needed: PermissionNeeded) {
        self.note_scopes(&needed.challenge);
        self.waiting_calls.push(needed);
    }

    /// Removes calls whose callers no longer wait.
    pub fn forget_abandoned(&mut self) {
        self.waiting_calls.retain(|call| !call.reply.is_closed());
    }

    /// Records a step-up of the handshake.
    pub fn note_handshake(&mut self, challenge: &Challenge) {
        self.note_scopes(challenge);
        self.count += 1;
    }

    /// Adds the scopes of a 403 to those not granted yet, so that one approval covers all.
    pub fn note_scopes(&mut self, challenge: &Challenge) {
        let mut merged = challenge.clone();
        if let Some(before) = self.challenge.take() {
            let scopes = before.scope.unwrap_or_default().union(&merged.scope.unwrap_or_default());
            merged.scope = (!scopes.is_empty()).then_some(scopes);
        }
        self.challenge = Some(merged);
    }

    /// Returns whether the handshake asks for more scopes after each approval.
    pub fn is_endless(&self) -> bool {
        self.count > budgets::STEP_UPS
    }

    pub fn reset_count(&mut self) {
        self.count = 0;
    }

    pub fn forget(&mut self) {
        self.challenge = None;
    }

    /// Resets the values that belong to the deleted grant.
    pub fn signed_out(&mut self) {
        self.challenge = None;
        self.has_new_grant = false;
    }

    /// Resets the values that a new connection makes obsolete. Scopes for waiting calls are still needed.
    pub fn connected(&mut self) {
        self.count = 0;
        if self.waiting_calls.is_empty() {
            self.challenge = None;
        }
    }

    /// Returns the call that has waited longest.
    pub fn first_call(&self) -> Option<&PermissionNeeded> {
        self.waiting_calls.first()
    }

    pub fn take_calls(&mut self) -> Vec<PermissionNeeded> {
        std::mem::take(&mut self.waiting_calls)
    }
}
