//! Operations that a server refused, recorded by the tool calls: endless step-ups, and results that reject the sign-in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

/// The largest number of step-ups for one operation. More step-ups count as endless.
pub(super) const MAX_STEP_UPS: u32 = 3;

#[derive(Default)]
pub(crate) struct Refusals {
    step_ups: Mutex<HashMap<String, StepUpCount>>,
    refreshed_for_result: RefreshedForResult,
    refused_in_result: AtomicBool,
}

/// An operation that failed with `insufficient_scope` and has not succeeded since.
#[derive(Default)]
struct StepUpCount {
    /// The number of different tokens that were insufficient.
    times: u32,
    token: Option<SecretString>,
}

impl Refusals {
    /// Records that an operation lacked a scope. Returns whether its step-ups are endless.
    pub fn note_step_up(&self, operation: &str, token: Option<SecretString>) -> bool {
        let mut step_ups = lock(&self.step_ups);
        let count = step_ups.entry(operation.to_owned()).or_default();
        // The same token counts once, because only a new token proves a new approval.
        if token.is_none() || !is_same(count.token.as_ref(), token.as_ref()) {
            count.times += 1;
            count.token = token;
        }
        let is_endless = count.times > MAX_STEP_UPS;
        if is_endless {
            step_ups.remove(operation);
        }
        is_endless
    }

    pub fn note_success(&self, operation: &str) {
        lock(&self.step_ups).remove(operation);
    }

    /// Returns whether this token replaced one that a tool's result rejected. Another refresh would not help.
    pub fn was_refreshed_for_result(&self, token: &SecretString) -> bool {
        self.refreshed_for_result.contains(token)
    }

    /// Records the token that a refresh returned after a tool's result rejected the old one.
    pub fn note_refreshed(&self, tool: &str, token: SecretString) {
        self.refreshed_for_result.note(tool, token);
    }

    pub fn note_refused_in_result(&self) {
        self.refused_in_result.store(true, Ordering::Relaxed);
    }

    /// Records that a tool's result did not reject the sign-in. Returns whether an earlier result did.
    pub fn note_accepted_in_result(&self, tool: &str) -> bool {
        self.refreshed_for_result.forget_if_caused_by(tool);
        self.refused_in_result.swap(false, Ordering::Relaxed)
    }
}

/// The last tool whose result rejected a token, and the token that replaced it.
#[derive(Default)]
struct RefreshedForResult(Mutex<Option<(String, SecretString)>>);

impl RefreshedForResult {
    fn note(&self, tool: &str, token: SecretString) {
        *lock(&self.0) = Some((tool.to_owned(), token));
    }

    fn contains(&self, token: &SecretString) -> bool {
        is_same(lock(&self.0).as_ref().map(|(_, refreshed)| refreshed), Some(token))
    }

    /// Forgets the refresh if this tool caused it. Accepted results of other tools prove nothing.
    fn forget_if_caused_by(&self, tool: &str) {
        lock(&self.0).take_if(|(refusing, _)| refusing == tool);
    }
}

fn is_same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_rejects_every_token_causes_one_refresh_even_if_other_tools_accept_it() {
        let (refreshed, token) = (RefreshedForResult::default(), SecretString::from("second"));
        assert!(!refreshed.contains(&token));
        refreshed.note("unlinked", token.clone());
        refreshed.forget_if_caused_by("search");
        assert!(refreshed.contains(&token));
        assert!(!refreshed.contains(&SecretString::from("third")), "a scheduled refresh may help");
        refreshed.forget_if_caused_by("unlinked");
        assert!(!refreshed.contains(&token), "the next rejection may cause a refresh");
    }
}
