//! An address of an authorization server, checked before anything is sent to it or opened in a browser.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::ErrorKind;

const LONGEST: usize = 2048;

/// https, or http on a loopback host; no user information, no fragment, none of the characters that mean something to a shell.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(Url);

impl Endpoint {
    /// `name` is what the address is for, in words for the error: "the token endpoint".
    pub fn parse(name: &str, raw: &str) -> Result<Self, ErrorKind> {
        check(raw)
            .map(Endpoint)
            .map_err(|why| ErrorKind::BadEndpoint { name: name.to_owned(), why: why.to_owned() })
    }

    pub fn url(&self) -> &Url {
        &self.0
    }

    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host for display and errors, without a port.
    pub fn host(&self) -> &str {
        self.0.host_str().unwrap_or_default()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.as_str())
    }
}

impl TryFrom<String> for Endpoint {
    type Error = ErrorKind;

    fn try_from(raw: String) -> Result<Self, ErrorKind> {
        Endpoint::parse("the endpoint", &raw)
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> Self {
        endpoint.0.into()
    }
}

/// The rule for every address that a document names; the error is the reason in words.
pub(crate) fn check(raw: &str) -> Result<Url, &'static str> {
    if raw.len() > LONGEST {
        return Err("it is longer than 2048 characters");
    }
    // The URL parser drops tabs and line ends and turns backslashes into slashes, so the raw text is looked at first.
    if !raw.chars().all(is_allowed) {
        return Err("it holds a character that has no place in an address");
    }
    let url = Url::parse(raw).map_err(|_| "it is not an absolute address")?;
    check_url(&url)?;
    let authority = raw.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it holds a user name");
    }
    if raw.contains('#') {
        return Err("it holds a fragment");
    }
    Ok(url)
}

/// The part of the rule that also holds for the target of a redirect.
pub(crate) fn check_url(url: &Url) -> Result<(), &'static str> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err("it is not encrypted (http)"),
        _ => return Err("it is not a web address"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name");
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host");
    }
    Ok(())
}

/// A loopback host by its name or number: `localhost`, names below it, 127.0.0.0/8 and ::1.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        None => false,
    }
}

/// RFC 6761 §6.3: these names never go to a name server.
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// RFC 3986 without the four characters that a careless opener could hand to a shell.
fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~:/?#[]@!&*+,;=%".contains(c) || (!c.is_ascii() && c.is_alphanumeric())
}
