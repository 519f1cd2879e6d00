//! The cookies of one connection, for load balancers with sticky sessions. They are sent only to the origin that set
//! them, and are never stored.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cookie::Cookie;
use cookie::time::{Duration, OffsetDateTime};
use http::{HeaderMap, HeaderValue, header};
use url::Url;
use usher_budgets as budgets;

/// The cookies of one origin. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Cookies {
    /// `None` if the address of the endpoint cannot be parsed. No cookie is then kept.
    endpoint: Option<Url>,
    jar: Arc<Mutex<Vec<Kept>>>,
}

#[derive(Debug)]
struct Kept {
    cookie: Cookie<'static>,
    /// The path below which the cookie is sent (RFC 6265 §5.1.4).
    path: String,
    expires_at: Option<OffsetDateTime>,
}

impl Cookies {
    pub fn new(endpoint: &str) -> Self {
        Self { endpoint: Url::parse(endpoint).ok(), jar: Arc::default() }
    }

    /// Keeps the cookies of a response from `url`, if it is the endpoint's origin.
    pub fn note(&self, url: &Url, headers: &HeaderMap, now: OffsetDateTime) {
        let Some(endpoint) = self.endpoint.as_ref().filter(|endpoint| endpoint.origin() == url.origin())
        else {
            return;
        };
        for text in headers.get_all(header::SET_COOKIE) {
            if let Some(kept) = text.to_str().ok().and_then(|text| read(text, endpoint, url, now)) {
                self.keep(kept, now);
            }
        }
    }

    /// Returns the `Cookie` header for a request to `url`.
    pub fn header(&self, url: &Url, now: OffsetDateTime) -> Option<HeaderValue> {
        self.endpoint.as_ref().filter(|endpoint| endpoint.origin() == url.origin())?;
        let jar = self.lock();
        let is_sent = |kept: &&Kept| is_below(url.path(), &kept.path) && !kept.is_expired(now);
        let pairs: Vec<_> =
            jar.iter().filter(is_sent).map(|kept| kept.cookie.stripped().to_string()).collect();
        let mut value = HeaderValue::try_from(pairs.join("; ")).ok().filter(|value| !value.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Replaces the cookie with the same name and path. Cookies beyond the limits are ignored.
    fn keep(&self, kept: Kept, now: OffsetDateTime) {
        let mut jar = self.lock();
        let is_same = |other: &Kept| other.cookie.name() == kept.cookie.name() && other.path == kept.path;
        jar.retain(|other| !is_same(other));
        jar.retain(|other| !other.is_expired(now));
        let bytes: usize = jar.iter().map(Kept::bytes).sum();
        let has_room = jar.len() < budgets::COOKIES && bytes + kept.bytes() <= budgets::COOKIE_BYTES;
        if has_room && !kept.is_expired(now) {
            jar.push(kept);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Kept>> {
        self.jar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn is_expired(&self, now: OffsetDateTime) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    fn bytes(&self) -> usize {
        self.cookie.name().len() + self.cookie.value().len()
    }
}

/// Reads a `Set-Cookie` header (RFC 6265 §5.3). A cookie of another domain, or one that needs a secure connection on an
/// insecure one, is ignored.
fn read(text: &str, endpoint: &Url, url: &Url, now: OffsetDateTime) -> Option<Kept> {
    let cookie = Cookie::parse(text.to_owned()).ok()?;
    let host = endpoint.host_str()?;
    let is_own_domain = cookie.domain().is_none_or(|domain| {
        let domain = domain.to_ascii_lowercase();
        host == domain || host.strip_suffix(domain.as_str()).is_some_and(|rest| rest.ends_with('.'))
    });
    let needs_encryption = cookie.secure().unwrap_or_default() && url.scheme() != "https";
    let is_usable =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';' || byte == b' ');
    if !is_own_domain || needs_encryption || !is_usable(cookie.name()) || !is_usable(cookie.value()) {
        return None;
    }
    let default_path = || url.path().rsplit_once('/').map_or("", |(parent, _)| parent).to_owned();
    let path = cookie.path().filter(|path| path.starts_with('/')).map_or_else(default_path, str::to_owned);
    let expires_at = match cookie.max_age() {
        Some(age) if age <= Duration::ZERO => Some(now),
        Some(age) => now.checked_add(age),
        None => cookie.expires_datetime(),
    };
    Some(Kept { cookie, path, expires_at })
}

fn is_below(path: &str, folder: &str) -> bool {
    let folder = folder.trim_end_matches('/');
    path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: OffsetDateTime = OffsetDateTime::UNIX_EPOCH;

    fn url(raw: &str) -> Url {
        Url::parse(raw).expect("parse the address")
    }

    fn after(set: &[&str]) -> Cookies {
        let cookies = Cookies::new("https://mcp.example.com/v1/mcp");
        for text in set {
            let headers = HeaderMap::from_iter([(
                header::SET_COOKIE,
                HeaderValue::from_str(text).expect("a header value"),
            )]);
            cookies.note(&url("https://mcp.example.com/v1/mcp"), &headers, START);
        }
        cookies
    }

    fn sent(cookies: &Cookies, to: &str, now: OffsetDateTime) -> Option<String> {
        let value = cookies.header(&url(to), now)?;
        Some(value.to_str().expect("text").to_owned())
    }

    #[test]
    fn cookies_go_back_to_their_origin_only() {
        let table: &[(&[&str], Option<&str>)] = &[
            (&["AWSALB=abc; Path=/; Expires=Thu, 08 Jan 1970 00:00:00 GMT"], Some("AWSALB=abc")),
            (&["lb=1", "lb=2", "other=3; HttpOnly; Secure; SameSite=None"], Some("lb=2; other=3")),
            (&["lb=1; Domain=example.com", "x=1; Domain=.mcp.example.com"], Some("lb=1; x=1")),
            (&["lb=1; Domain=evil.example", "x=1; Domain=p.example.com"], None),
            (&["lb=1; Path=/other", "x=1; Path=/v1/mcpx"], None),
            (&["lb=1", "lb=; Max-Age=0"], None),
            (&["lb=1; Max-Age=0", "x=1; Expires=Wed, 31 Dec 1969 00:00:00 GMT"], None),
            (&["", "=", ";", "no value"], None),
        ];
        for (set, expected) in table {
            let cookies = after(set);
            assert_eq!(
                sent(&cookies, "https://mcp.example.com/v1/mcp", START).as_deref(),
                *expected,
                "{set:?}"
            );
            for other in [
                "https://example.com/v1/mcp",
                "https://mcp.example.com:8443/v1/mcp",
                "http://mcp.example.com/v1/mcp",
            ] {
                assert_eq!(sent(&cookies, other, START), None, "{set:?} {other}");
            }
        }
    }

    #[test]
    fn cookies_expire_and_another_origin_sets_none() {
        let cookies = after(&["lb=1; Max-Age=60"]);
        let address = "https://mcp.example.com/v1/mcp";
        assert_eq!(sent(&cookies, address, START + Duration::seconds(59)).as_deref(), Some("lb=1"));
        assert_eq!(sent(&cookies, address, START + Duration::seconds(60)), None);
        let headers = HeaderMap::from_iter([(header::SET_COOKIE, HeaderValue::from_static("evil=1"))]);
        cookies.note(&url("https://evil.example/v1/mcp"), &headers, START);
        assert_eq!(sent(&cookies, address, START).as_deref(), Some("lb=1"));
    }

    #[test]
    fn a_flood_of_cookies_is_ignored() {
        let flood: Vec<String> = (0..10_000).map(|number| format!("c{number}={number}")).collect();
        let cookies = after(&flood.iter().map(String::as_str).collect::<Vec<_>>());
        assert_eq!(cookies.lock().len(), budgets::COOKIES);
        let large = format!("c={}", "x".repeat(budgets::COOKIE_BYTES));
        let cookies = after(&["lb=1", &large]);
        assert_eq!(sent(&cookies, "https://mcp.example.com/v1/mcp", START).as_deref(), Some("lb=1"));
    }
}
