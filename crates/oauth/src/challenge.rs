//! What a 401 or 403 says about signing in: the Bearer challenge of `WWW-Authenticate`.

use http::HeaderValue;

use crate::Scopes;

/// A Bearer challenge (RFC 6750 §3, RFC 9728 §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BearerChallenge {
    pub resource_metadata: Option<String>,
    pub scope: Option<Scopes>,
    pub error: Option<String>,
    /// Cleaned for display.
    pub error_description: Option<String>,
}

impl BearerChallenge {
    /// Reads all `WWW-Authenticate` values of one response; several headers, several schemes in one header.
    /// `None` where no header speaks of Bearer.
    pub fn from_headers<'a>(_values: impl IntoIterator<Item = &'a HeaderValue>) -> Option<Self> {
        unimplemented!()
    }

    /// RFC 6750 §3.1: the token is valid but not enough.
    pub fn is_insufficient_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }
}
