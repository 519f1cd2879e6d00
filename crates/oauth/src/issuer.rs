//! The identifier of an authorization server: an exact string, compared as such.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Endpoint, ErrorKind};

/// An issuer identifier (RFC 8414 §2). Two issuers are the same when their strings are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Issuer {
    /// Takes an issuer that follows the rules of an [`Endpoint`] and has no query.
    pub fn parse(raw: &str) -> Result<Self, ErrorKind> {
        let url = Endpoint::parse("the authorization server", raw)?;
        if url.url().query().is_some() {
            let why = "an issuer has no query".to_owned();
            return Err(ErrorKind::BadEndpoint { name: "the authorization server".to_owned(), why });
        }
        Ok(Issuer(raw.to_owned()))
    }

    /// The origin of `url` as an issuer, as the 2025-03-26 edition of MCP has it.
    pub(crate) fn of_origin(url: &Url) -> Self {
        Issuer(url.origin().ascii_serialization())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn url(&self) -> Option<Url> {
        Url::parse(&self.0).ok()
    }

    /// The host for display and errors.
    pub fn host(&self) -> Option<String> {
        self.url().and_then(|url| url.host_str().map(str::to_owned))
    }

    /// Identity, with the slash after a bare origin as the only slack (RFC 8414 §3.3).
    pub(crate) fn is_named_by(&self, found: &str) -> bool {
        self.0 == found || (is_root(&self.0) && is_root(found) && bare(&self.0) == bare(found))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn bare(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

/// An issuer without a path: nothing but a single slash may follow the host.
fn is_root(issuer: &str) -> bool {
    bare(issuer).split_once("://").is_some_and(|(_, rest)| !rest.contains('/'))
}
