//! The authorization response: a raw address from the outside, parsed before anything else happens.

use std::fmt;

use crate::{Error, RedirectUri};

/// A well-formed answer at one of our redirect URIs. Whose it is, its `state` tells.
pub struct AuthorizationResponse {
    redirect: RedirectUri,
    state: String,
}

impl AuthorizationResponse {
    /// Parses `raw`, which must be one of `redirects`, character for character, followed by a query.
    ///
    /// Over 4 kB, control characters, a fragment, a parameter named twice, no `state`, and anything but exactly one of
    /// `code` and `error` are refused.
    pub fn parse<'a>(
        _raw: &str,
        _redirects: impl IntoIterator<Item = &'a RedirectUri>,
    ) -> Result<Self, Error> {
        unimplemented!()
    }

    pub fn state(&self) -> &str {
        &self.state
    }

    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect
    }
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse").field("redirect", &self.redirect).finish_non_exhaustive()
    }
}
