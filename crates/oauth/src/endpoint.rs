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
        check(raw, is_safe_character)
            .map(Endpoint)
            .map_err(|why| ErrorKind::BadEndpoint { name: name.to_owned(), why })
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

/// The rule for every address that is asked or opened; the error is the reason in words.
pub(crate) fn check(raw: &str, may_hold: fn(char) -> bool) -> Result<Url, String> {
    if raw.len() > LONGEST {
        return Err("it is longer than 2048 characters".to_owned());
    }
    if let Some(scheme) = scheme(raw).filter(|scheme| !matches!(scheme.as_str(), "https" | "http")) {
        return Err(wrong_scheme(&scheme));
    }
    // The URL parser drops tabs and line ends and turns backslashes into slashes, so the raw text is looked at first.
    if !raw.chars().all(may_hold) {
        return Err("it holds a character that has no place in an address".to_owned());
    }
    let url = Url::parse(raw).map_err(|_| "it is not an absolute address".to_owned())?;
    check_url(&url)?;
    let authority = raw.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it holds a user name".to_owned());
    }
    if raw.contains('#') {
        return Err("it holds a fragment".to_owned());
    }
    Ok(url)
}

/// The part of the rule that also holds for the target of a redirect.
pub(crate) fn check_url(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err("it is not encrypted (http)".to_owned()),
        other => return Err(wrong_scheme(other)),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host".to_owned());
    }
    Ok(())
}

fn wrong_scheme(scheme: &str) -> String {
    format!("it is a “{}:” address, and only https is opened", crate::text::shown(scheme))
}

/// The scheme of RFC 3986 §3.1 at the beginning, in lower case.
fn scheme(raw: &str) -> Option<String> {
    let (scheme, _) = raw.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| scheme.to_ascii_lowercase())
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
fn is_safe_character(c: char) -> bool {
    is_address_character(c) && !"$'()".contains(c)
}

/// RFC 3986, and the letters of all languages.
pub(crate) fn is_address_character(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
        || (!c.is_ascii() && c.is_alphanumeric())
}
