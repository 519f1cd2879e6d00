//! Sites: hosts that belong to one owner.

use url::{Host, Url};

/// Whether two addresses belong to one site: the same registrable domain (by the Public Suffix List), or the same IP
/// address or local name. Schemes and ports are ignored.
pub(crate) fn is_same_site(one: &Url, other: &Url) -> bool {
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => site(one) == site(other),
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => false,
    }
}

/// Returns the registrable domain, or the whole name if it has none.
fn site(name: &str) -> &str {
    let name = name.trim_end_matches('.');
    psl::domain_str(name).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_a_registrable_domain_or_one_host() {
        let cases = [
            ("https://mcp.notion.com/mcp", "https://api.notion.com", true),
            ("https://notion.com:8443", "https://NOTION.com./x", true),
            ("https://mcp.notion.com", "https://notion.com.evil.example", false),
            ("https://one.co.uk", "https://two.co.uk", false),
            ("https://one.github.io", "https://two.github.io", false),
            ("http://127.0.0.1:1", "http://127.0.0.1:2", true),
            ("http://127.0.0.1", "http://127.0.0.2", false),
            ("http://127.0.0.1", "http://localhost", false),
            ("http://[::1]:1", "http://[::1]:2", true),
            ("http://localhost", "http://localhost:2", true),
        ];
        for (one, other, expected) in cases {
            let url = |raw: &str| Url::parse(raw).expect("parse the address");
            assert_eq!(is_same_site(&url(one), &url(other)), expected, "{one} {other}");
            assert_eq!(is_same_site(&url(other), &url(one)), expected, "{other} {one}");
        }
    }
}
