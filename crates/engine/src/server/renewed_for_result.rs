//! Which tool's results refuse a token that was renewed for them: another one would be refused, too.

use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::SecretString;

use super::is_same;

/// The tool whose result refused a token last, and the token that took that one's place.
#[derive(Default)]
pub(super) struct RenewedForResult(Mutex<Option<(String, SecretString)>>);

impl RenewedForResult {
    pub fn note(&self, tool: &str, token: SecretString) {
        *self.lock() = Some((tool.to_owned(), token));
    }

    /// Whether this token came because a tool's result refused the one before.
    pub fn is_in_vain(&self, token: &SecretString) -> bool {
        is_same(self.lock().as_ref().map(|(_, renewed)| renewed), Some(token))
    }

    /// A tool takes the token. What another one refuses it goes on refusing.
    pub fn taken_by(&self, tool: &str) {
        self.lock().take_if(|(refusing, _)| refusing == tool);
    }

    fn lock(&self) -> MutexGuard<'_, Option<(String, SecretString)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_refuses_every_token_costs_one_renewal_though_others_take_it() {
        let (renewed, token) = (RenewedForResult::default(), SecretString::from("second"));
        assert!(!renewed.is_in_vain(&token));
        renewed.note("unlinked", token.clone());
        renewed.taken_by("search");
        assert!(renewed.is_in_vain(&token));
        assert!(!renewed.is_in_vain(&SecretString::from("third")), "it came by the clock, and may be good");
        renewed.taken_by("unlinked");
        assert!(!renewed.is_in_vain(&token), "the next refusal is another matter");
    }
}
