//! The deviations of an authorization server from the standards.

use serde::{Deserialize, Serialize};

use crate::{AuthMethod, GrantBinding};

/// The quirks of an authorization server, learned from requests that it rejected. Later requests are sent in the form
/// that it accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Quirks {
    /// The client authentication method that worked, if it is not the one that the metadata or the registration names.
    pub auth_method: Option<AuthMethod>,
    /// A refresh must repeat the scopes.
    pub refresh_needs_scope: bool,
    /// Only the scopes in the settings and in a challenge are accepted.
    pub rejects_added_scopes: bool,
    /// The authorization page works only without the `prompt` that Usher adds.
    pub rejects_prompt: bool,
}

impl Quirks {
    /// Adds what a request taught: it was sent as `planned`, and succeeded as `accepted`.
    pub fn learn(&mut self, planned: &GrantBinding, accepted: &GrantBinding) {
        if planned.auth_method != accepted.auth_method {
            self.auth_method = Some(accepted.auth_method);
        }
        self.refresh_needs_scope |= accepted.sends_scope;
    }
}
