//! Where the browser sends the answer: the ladder of redirect URIs.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{Error, ErrorKind, Step};

/// A redirect URI of this app: its private-use scheme (RFC 8252 §7.1) or a loopback address (§7.3).
///
/// Compared as an exact string, never normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// The private-use scheme with a single slash, the first rung.
    pub const LINK: &str = "dev.usher.desktop:/oauth/callback";
    /// The private-use scheme with a host, for servers that refuse the first rung.
    pub const LINK_WITH_HOST: &str = "dev.usher.desktop://oauth/callback";

    pub fn link() -> Self {
        RedirectUri(Self::LINK.to_owned())
    }

    pub fn link_with_host() -> Self {
        RedirectUri(Self::LINK_WITH_HOST.to_owned())
    }

    /// A listener on `127.0.0.1` for one sign-in.
    pub fn loopback(port: u16) -> Self {
        RedirectUri(format!("http://127.0.0.1:{port}/oauth/callback"))
    }

    /// Takes the two links, or any http address on a loopback host without query, fragment or user information.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let refuse = |why: &str| {
            let kind = ErrorKind::BadRedirectUri { why: why.to_owned() };
            Err(Error::new(Step::Authorization, None, kind))
        };
        if raw == Self::LINK || raw == Self::LINK_WITH_HOST {
            return Ok(RedirectUri(raw.to_owned()));
        }
        let Ok(url) = Url::parse(raw) else { return refuse("it is not an absolute address") };
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if url.scheme() != "http" || !is_loopback || url.as_str() != raw {
            return refuse("only this app's own links and loopback addresses come back to this app");
        }
        if url.query().is_some() || url.fragment().is_some() || raw.contains('@') {
            return refuse("it holds more than a path");
        }
        Ok(RedirectUri(raw.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// True for an address on which this app listens itself.
    pub fn is_loopback(&self) -> bool {
        self.0.starts_with("http:")
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RedirectUri {
    type Error = Error;

    fn try_from(raw: String) -> Result<Self, Error> {
        RedirectUri::parse(&raw)
    }
}

impl From<RedirectUri> for String {
    fn from(redirect: RedirectUri) -> Self {
        redirect.0
    }
}
