//! Validates and matches redirect URIs, and adds the authorization response to them.

use url::{Host, Url};

use crate::options::RedirectPolicy;

const MAX_LENGTH: usize = 2048;

/// The kind of a redirect URI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RedirectKind {
    /// `https://…`: a website.
    Web,
    /// `http` on a loopback address: a program on this computer (RFC 8252 §7.3).
    Loopback,
    /// A private-use scheme: an app on this computer (RFC 8252 §7.1).
    PrivateUse {
        /// `scheme://host/path` rather than `scheme:/path`.
        with_host: bool,
    },
}

/// Returns the kind of a redirect URI, or an error description.
pub(crate) fn kind(uri: &str) -> Result<RedirectKind, &'static str> {
    if uri.len() > MAX_LENGTH {
        return Err("a redirect URI is longer than 2048 bytes");
    }
    if uri.chars().any(|c| c.is_control() || c.is_whitespace() || !c.is_ascii()) {
        return Err("a redirect URI contains characters that must be encoded");
    }
    let url = Url::parse(uri).map_err(|_| "a redirect URI is not an absolute URI")?;
    if url.fragment().is_some() {
        return Err("a redirect URI must have no fragment");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("a redirect URI must have no userinfo");
    }
    match url.scheme() {
        "https" => Ok(RedirectKind::Web),
        "http" if is_loopback(&url) => Ok(RedirectKind::Loopback),
        "http" => Err("an http redirect URI must name a loopback address"),
        // A scheme in reverse domain name form contains a dot. Dangerous schemes such as `javascript` do not.
        scheme if scheme.contains('.') && url.path().starts_with('/') => {
            Ok(RedirectKind::PrivateUse { with_host: url.has_host() })
        }
        _ => Err("a private-use scheme must be a domain name in reverse, followed by a path"),
    }
}

/// Returns the kind of a redirect URI if `policy` allows its registration.
pub(crate) fn may_register(uri: &str, policy: RedirectPolicy) -> Result<RedirectKind, &'static str> {
    let kind = kind(uri)?;
    let RedirectKind::PrivateUse { with_host } = kind else { return Ok(kind) };
    match policy {
        RedirectPolicy::NoPrivateUse => {
            Err("private-use schemes are not allowed as redirect_uri; use https or loopback")
        }
        RedirectPolicy::HostRequired if !with_host => Err("a redirect_uri must have a host"),
        RedirectPolicy::HostRequired
        | RedirectPolicy::Any
        | RedirectPolicy::PrivateUseRejectedAtAuthorize => Ok(kind),
    }
}

/// Whether a requested redirect URI matches the registered one: equal, except for the port of a loopback address
/// (RFC 8252 §7.3).
pub(crate) fn matches(registered: &str, requested: &str) -> bool {
    if registered == requested {
        return true;
    }
    let without_port = |uri: &str| {
        let mut url = Url::parse(uri).ok().filter(|url| url.scheme() == "http" && is_loopback(url))?;
        url.set_port(None).ok()?;
        Some(url)
    };
    kind(requested).is_ok()
        && without_port(registered).is_some_and(|registered| Some(registered) == without_port(requested))
}

/// Appends response parameters to the redirect URI. The rest of the URI is unchanged.
pub(crate) fn with_response(redirect_uri: &str, parameters: &[(&str, &str)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}", query.finish())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_recognised_and_other_uris_are_rejected() {
        assert_eq!(kind("https://example.com/cb"), Ok(RedirectKind::Web));
        assert_eq!(kind("http://127.0.0.1:9/cb"), Ok(RedirectKind::Loopback));
        assert_eq!(kind("http://[::1]/cb"), Ok(RedirectKind::Loopback));
        assert_eq!(
            kind("dev.usher.desktop:/oauth/callback"),
            Ok(RedirectKind::PrivateUse { with_host: false })
        );
        assert_eq!(
            kind("dev.usher.desktop://oauth/callback"),
            Ok(RedirectKind::PrivateUse { with_host: true })
        );
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "usher:/cb",
            "a.b:opaque",
            "http://example.com/cb",
            "https://example.com/cb#x",
            "https://me@example.com/cb",
            "https://example.com/\ncb",
            "/cb",
            "",
        ] {
            assert!(kind(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:49152/cb"));
        assert!(matches("http://127.0.0.1:1/cb", "http://127.0.0.1:2/cb"));
        assert!(!matches("http://127.0.0.1/cb", "http://127.0.0.1:49152/other"));
        assert!(!matches("http://127.0.0.1/cb", "http://localhost/cb"));
        assert!(!matches("http://127.0.0.1/cb", "http://127.0.0.1:1/cb#x"));
        assert!(!matches("https://example.com/cb", "https://example.com:8443/cb"));
        assert!(!matches("dev.usher.desktop:/cb", "dev.usher.desktop:/cb/"));
    }

    #[test]
    fn response_parameters_are_appended_and_encoded() {
        assert_eq!(with_response("a.b:/cb", &[("state", "x y&z")]), "a.b:/cb?state=x+y%26z");
        assert_eq!(with_response("https://e.org/?a=1", &[("code", "c")]), "https://e.org/?a=1&code=c");
    }
}
