//! Operations that a server refused, recorded by the tool calls: endless step-ups, and results that reject the sign-in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use usher_budgets as budgets;

#[derive(Default)]
pub(crate) struct Refusals {
    step_ups: Mutex<HashMap<String, StepUpCount>>,
    /// The last tool whose result rejected a token, and the token that replaced it.
    refreshed_for_result: Mutex<Option<(String, SecretString)>>,
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
        let is_endless = count.times > budgets::STEP_UPS;
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
        let refreshed = lock(&self.refreshed_for_result);
        is_same(refreshed.as_ref().map(|(_, refreshed)| refreshed), Some(token))
    }

    /// Records the token that a refresh returned after a tool's result rejected the old one.
    pub fn note_refreshed(&self, tool: &str, token: SecretString) {
        *lock(&self.refreshed_for_result) = Some((tool.to_owned(), token));
    }

    pub fn note_refused_in_result(&self) {
        self.refused_in_result.store(true, Ordering::Relaxed);
    }

    /// Records that a tool's result did not reject the sign-in. Returns whether an earlier result did.
    pub fn note_accepted_in_result(&self, tool: &str) -> bool {
        // Only the tool that caused the refresh: accepted results of other tools prove nothing.
        lock(&self.refreshed_for_result).take_if(|(refusing, _)| refusing == tool);
        self.refused_in_result.swap(false, Ordering::Relaxed)
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
    fn a_tool_that_rejects_every_token_causes_one_refresh_even_if_other_tools_accept_the_token() {
        let (refusals, token) = (Refusals::default(), SecretString::from("second"));
        assert!(!refusals.was_refreshed_for_result(&token));
        refusals.note_refreshed("unlinked", token.clone());
        refusals.note_accepted_in_result("search");
        assert!(refusals.was_refreshed_for_result(&token));
        let third = SecretString::from("third");
        assert!(!refusals.was_refreshed_for_result(&third), "a scheduled refresh may help");
        refusals.note_accepted_in_result("unlinked");
        assert!(!refusals.was_refreshed_for_result(&token), "the next rejection may cause a refresh");
    }
}
