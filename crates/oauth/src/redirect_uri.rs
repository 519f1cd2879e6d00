//! The redirect URIs of this app.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::{Error, ErrorKind, Step};

/// A redirect URI with this app's private-use ("custom") scheme (RFC 8252 §7.1) or a loopback address (§7.3).
///
/// Redirect URIs are compared as exact strings and never normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

impl RedirectUri {
    /// The custom scheme with a single slash. This redirect is tried first.
    pub const CUSTOM_SCHEME: &str = "dev.usher.desktop:/oauth/callback";
    /// The custom scheme with a host, for servers that reject [`Self::CUSTOM_SCHEME`].
    pub const CUSTOM_SCHEME_WITH_HOST: &str = "dev.usher.desktop://oauth/callback";

    pub fn custom_scheme() -> Self {
        RedirectUri(Self::CUSTOM_SCHEME.to_owned())
    }

    pub fn custom_scheme_with_host() -> Self {
        RedirectUri(Self::CUSTOM_SCHEME_WITH_HOST.to_owned())
    }

    /// The address of a listener on `127.0.0.1` that serves one sign-in.
    pub fn loopback(port: u16) -> Self {
        RedirectUri(format!("http://127.0.0.1:{port}/oauth/callback"))
    }

    /// Parses one of the two custom-scheme URIs, or an http URL with a loopback host and without query, fragment or
    /// userinfo.
    pub fn parse(raw: &str) -> Result<Self, Error> {
        let error = |why: &str| {
            let kind = ErrorKind::BadRedirectUri { why: why.to_owned() };
            Err(Error::new(Step::Authorization, None, kind))
        };
        if raw == Self::CUSTOM_SCHEME || raw == Self::CUSTOM_SCHEME_WITH_HOST {
            return Ok(RedirectUri(raw.to_owned()));
        }
        let Ok(url) = Url::parse(raw) else { return error("it is not an absolute URL") };
        let is_loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        };
        if url.scheme() != "http" || !is_loopback || url.as_str() != raw {
            return error("it must use Usher's own scheme or a loopback address");
        }
        if url.query().is_some() || url.fragment().is_some() || raw.contains('@') {
            return error("it contains more than a path");
        }
        Ok(RedirectUri(raw.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the address of a local listener.
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
