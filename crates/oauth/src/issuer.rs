//! The issuer identifier of an authorization server.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::{Endpoint, ErrorKind};

/// An issuer identifier (RFC 8414 §2), compared as an exact string.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(String);

impl Issuer {
    /// Parses an issuer, which must be a valid [`Endpoint`] without a query.
    pub fn parse(raw: &str) -> Result<Self, ErrorKind> {
        let url = Endpoint::parse("the authorization server", raw)?;
        if url.url().query().is_some() {
            let why = "an issuer must not have a query".to_owned();
            return Err(ErrorKind::BadEndpoint { name: "the authorization server".to_owned(), why });
        }
        Ok(Issuer(raw.to_owned()))
    }

    /// The origin of `url` as an issuer (MCP 2025-03-26).
    pub(crate) fn of_origin(url: &Url) -> Self {
        Issuer(url.origin().ascii_serialization())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn url(&self) -> Option<Url> {
        Url::parse(&self.0).ok()
    }

    /// The host without the port, for display and errors.
    pub fn host(&self) -> Option<String> {
        self.url().and_then(|url| url.host_str().map(str::to_owned))
    }

    /// Whether both issuers are identical (RFC 8414 §3.3). If they have no path, a slash at the end is ignored.
    pub(crate) fn matches(&self, other: &str) -> bool {
        let is_same_origin = without_slash(&self.0) == without_slash(other);
        self.0 == other || (is_origin(&self.0) && is_origin(other) && is_same_origin)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn without_slash(issuer: &str) -> &str {
    issuer.strip_suffix('/').unwrap_or(issuer)
}

/// Whether the issuer has no path, except for a single slash.
fn is_origin(issuer: &str) -> bool {
    without_slash(issuer).split_once("://").is_some_and(|(_, rest)| !rest.contains('/'))
}
