//! Authorization servers that need more than the standards say. They are data, each with its sources.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;
use url::Url;

/// The authorization server of one company.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct KnownServer {
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the file"))]
    name: String,
    /// The hosts of its issuers, pages and token endpoints.
    hosts: Vec<String>,
    /// Parameters that its authorization requests need for a refresh token.
    #[serde(default)]
    authorization_parameters: BTreeMap<String, String>,
    /// Names in `token_type` that stand for `Bearer`.
    #[serde(default)]
    token_types: Vec<String>,
    /// The public documents that state all this.
    #[cfg_attr(not(test), expect(dead_code, reason = "for readers of the file"))]
    sources: Vec<Url>,
}

static KNOWN: LazyLock<Vec<KnownServer>> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is part of the program and covered by tests")]
    serde_json::from_str(include_str!("../known_servers.json")).expect("known_servers.json is valid")
});

/// Returns the parameters to add to a request to this authorization endpoint.
pub(crate) fn authorization_parameters(endpoint: &Url) -> impl Iterator<Item = (&'static str, &'static str)> {
    let parameters = at(endpoint).map(|known| &known.authorization_parameters);
    parameters.into_iter().flatten().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Whether tokens of this type, from this token endpoint, are bearer tokens.
pub(crate) fn is_bearer(endpoint: &Url, token_type: &str) -> bool {
    let accepts = |known: &KnownServer| known.token_types.iter().any(|name| name == token_type);
    at(endpoint).is_some_and(accepts)
}

/// Whether both addresses belong to the same known authorization server.
pub(crate) fn belong_together(one: &Url, other: &Url) -> bool {
    matches!((at(one), at(other)), (Some(one), Some(other)) if std::ptr::eq(one, other))
}

fn at(url: &Url) -> Option<&'static KnownServer> {
    let host = url.host_str()?;
    KNOWN.iter().find(|known| known.hosts.iter().any(|name| name == host)).filter(|_| url.scheme() == "https")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn url(raw: &str) -> Url {
        Url::parse(raw).expect("parse the address")
    }

    #[test]
    fn each_server_has_a_name_and_sources_and_no_host_occurs_twice() {
        let mut hosts = HashSet::new();
        for known in KNOWN.iter() {
            assert!(!known.name.is_empty() && !known.sources.is_empty(), "{known:?}");
            assert!(known.sources.iter().all(|source| source.scheme() == "https"), "{known:?}");
            assert!(known.hosts.iter().all(|host| hosts.insert(host)), "{known:?}");
        }
    }

    #[test]
    fn data_applies_only_to_the_hosts_of_its_server() {
        let google = url("https://accounts.google.com/o/oauth2/v2/auth");
        assert_eq!(authorization_parameters(&google).collect::<Vec<_>>(), [("access_type", "offline")]);
        for other in
            ["https://accounts.google.com.evil.example/", "http://accounts.google.com/", "https://slack.com"]
        {
            assert_eq!(authorization_parameters(&url(other)).count(), 0, "{other}");
        }
        for (endpoint, token_type, expected) in [
            ("https://slack.com/api/oauth.v2.user.access", "user", true),
            ("https://slack.com/api/oauth.v2.user.access", "bot", false),
            ("https://slack.com.evil.example/", "user", false),
            ("https://oauth2.googleapis.com/token", "user", false),
        ] {
            assert_eq!(is_bearer(&url(endpoint), token_type), expected, "{endpoint} {token_type}");
        }
        assert!(belong_together(&google, &url("https://oauth2.googleapis.com/token")));
        assert!(!belong_together(&google, &url("https://storage.googleapis.com/token")));
        assert!(!belong_together(&google, &url("https://slack.com/token")));
        assert!(!belong_together(&url("https://a.example"), &url("https://b.example")));
    }
}
