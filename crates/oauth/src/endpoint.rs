//! The URL of an endpoint, checked before a request is sent to it or a browser opens it.

use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Url};
use usher_budgets as budgets;

use crate::ErrorKind;
use crate::display_text::display_text;

/// An https URL, or an http URL with a loopback host. It has no userinfo, no fragment and no characters that are
/// special to a shell.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint(Url);

impl Endpoint {
    /// Parses a URL. `name` is the endpoint's name in the error message, such as "the token endpoint".
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

    /// The host without the port, for display and errors.
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

/// Parses and checks a URL that will be requested or opened. The error is a reason for display.
pub(crate) fn check(raw: &str, is_allowed: fn(char) -> bool) -> Result<Url, String> {
    if raw.len() > budgets::ADDRESS_BYTES {
        return Err("it is longer than 2048 characters".to_owned());
    }
    if let Some(scheme) = scheme(raw).filter(|scheme| !matches!(scheme.as_str(), "https" | "http")) {
        return Err(wrong_scheme(&scheme));
    }
    // Checked before parsing, because the URL parser drops tabs and newlines and turns backslashes into slashes.
    if !raw.chars().all(is_allowed) {
        return Err("it contains a character that is not allowed in a URL".to_owned());
    }
    let url = Url::parse(raw).map_err(|_| "it is not an absolute URL".to_owned())?;
    check_url(&url)?;
    let authority = raw.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("it contains a user name".to_owned());
    }
    if raw.contains('#') {
        return Err("it contains a fragment".to_owned());
    }
    Ok(url)
}

/// Makes the checks that also apply to the target of a redirect.
pub(crate) fn check_url(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err("it is not encrypted (http)".to_owned()),
        other => return Err(wrong_scheme(other)),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it contains a user name".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it has no host".to_owned());
    }
    Ok(())
}

fn wrong_scheme(scheme: &str) -> String {
    format!("“{}:” is not allowed, only “https:”", display_text(scheme))
}

/// The URL's scheme (RFC 3986 §3.1) in lower case.
fn scheme(raw: &str) -> Option<String> {
    let (scheme, _) = raw.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    is_scheme.then(|| scheme.to_ascii_lowercase())
}

/// Whether the host is `localhost`, one of its subdomains, or a loopback address.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost(name),
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        None => false,
    }
}

/// Whether the name always refers to this computer (RFC 6761 §6.3).
pub(crate) fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// Accepts URL characters except four that are special to a shell, in case a shell starts the browser.
fn is_safe_character(c: char) -> bool {
    is_address_character(c) && !"$'()".contains(c)
}

/// The characters of RFC 3986, and the letters and digits of all languages.
pub(crate) fn is_address_character(c: char) -> bool {
    c.is_ascii_alphanumeric()
        || "-._~:/?#[]@!$&'()*+,;=%".contains(c)
        || (!c.is_ascii() && c.is_alphanumeric())
}
