//! An ordered set of OAuth scopes.

use std::fmt;

use serde::{Deserialize, Serialize};
use usher_budgets as budgets;

/// Scope tokens (RFC 6749 §3.3), without duplicates, in the order given. Tokens beyond [`budgets::SCOPES`] or
/// [`budgets::SCOPE_BYTES`] are dropped.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<String>", into = "Vec<String>")]
pub struct Scopes(Vec<String>);

impl Scopes {
    /// Splits `text` at whitespace and drops invalid scope tokens.
    pub fn parse(text: &str) -> Self {
        text.split_ascii_whitespace().map(str::to_owned).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|known| known == scope)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns these scopes, followed by those of `others` that are new.
    pub fn union(&self, others: &Scopes) -> Scopes {
        self.iter().chain(others.iter()).map(str::to_owned).collect()
    }

    pub(crate) fn with_scope(mut self, scope: &str) -> Scopes {
        self.push(scope.to_owned());
        self
    }

    fn push(&mut self, scope: String) {
        let is_token =
            !scope.is_empty() && scope.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5B | 0x5D..=0x7E));
        if is_token && !self.contains(&scope) {
            self.0.push(scope);
        }
    }
}

impl fmt::Display for Scopes {
    /// Formats the scopes as the `scope` parameter, separated by spaces.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl FromIterator<String> for Scopes {
    fn from_iter<I: IntoIterator<Item = String>>(scopes: I) -> Self {
        let (mut set, mut bytes) = (Scopes::default(), 0);
        // The number of tokens is limited before duplicates are removed, because each token is compared with all others.
        for scope in scopes.into_iter().take(budgets::SCOPES) {
            bytes += scope.len();
            if bytes > budgets::SCOPE_BYTES {
                break;
            }
            set.push(scope);
        }
        set
    }
}

impl From<Vec<String>> for Scopes {
    fn from(scopes: Vec<String>) -> Self {
        scopes.into_iter().collect()
    }
}

impl From<Scopes> for Vec<String> {
    fn from(scopes: Scopes) -> Self {
        scopes.0
    }
}
