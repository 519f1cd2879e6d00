//! The URLs in metadata and settings: which ones are accepted.

use serde_json::json;
use usher_oauth::{ClientSettings, Discovered, Endpoint, ErrorKind, RedirectUri, ServerUrl, Step};

use crate::support::*;

const GOOD: [&str; 12] = [
    "https://as.example/authorize",
    "https://as.example",
    "https://as.example:8443/a/b/?x=1&y=%20z",
    "https://as.example/a;v=1,2/",
    "https://login.example/~user/oauth2/v2.0/authorize",
    "https://[2001:db8::1]/authorize",
    "https://bücher.example/authorize",
    "http://localhost:3000/authorize",
    "http://LOCALHOST/authorize",
    "http://app.localhost/authorize",
    "http://127.0.0.1:9/authorize",
    "http://[::1]:9/authorize",
];

const BAD: [&str; 48] = [
    "",
    "/authorize",
    "//as.example/authorize",
    "as.example/authorize",
    "-flag",
    "--proxy-server=evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "javascript://as.example/%0aalert(1)",
    "vbscript:msgbox",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "file://server/share",
    "ftp://as.example/",
    "ws://as.example/",
    "blob:https://as.example/1",
    "about:blank",
    "view-source:https://as.example/",
    "chrome://settings",
    "ms-msdt:/id PCWDiagnostic",
    "search-ms:query=x",
    "smb://as.example/share",
    "vscode://install",
    "dev.usher.desktop:/oauth/callback",
    "mailto:a@b.example",
    "tel:+1",
    "http://as.example/authorize",
    "http://127.0.0.1.nip.io/authorize",
    "http://localhost.evil.example/authorize",
    "http://192.168.1.1/authorize",
    "http://10.0.0.1/authorize",
    "http:as.example",
    "https://user@as.example/authorize",
    "https://user:password@as.example/authorize",
    "https://@as.example/authorize",
    "https://as.example@evil.example/authorize",
    "https://as.example/authorize#fragment",
    "https://as.example/authorize#",
    "https://as.example/a b",
    " https://as.example/",
    "https://as.example/\nhttps://evil.example",
    "https://as.example/\tx",
    "https:\\\\as.example\\authorize",
    "https://as.example/$(calc)",
    "https://as.example/`calc`",
    "https://as.example/\u{202e}x",
    "https://as.example/\"&calc",
];

#[test]
fn good_endpoints_are_accepted() {
    for raw in GOOD {
        assert!(Endpoint::parse("x", raw).is_ok(), "{raw}");
    }
}

#[test]
fn bad_endpoints_are_rejected() {
    for raw in BAD {
        assert!(matches!(Endpoint::parse("x", raw), Err(ErrorKind::BadEndpoint { .. })), "{raw:?}");
    }
    assert!(Endpoint::parse("x", &format!("https://as.example/{}", "a".repeat(2048))).is_err());
    assert!(Endpoint::parse("x", "https://").is_err());
    let why = |raw| match Endpoint::parse("x", raw) {
        Err(ErrorKind::BadEndpoint { why, .. }) => why,
        result => panic!("{raw}: {result:?}"),
    };
    assert_eq!(why("JavaScript:alert(1)"), "“javascript:” is not allowed, only “https:”");
    assert_eq!(why("ms-msdt:/id x"), "“ms-msdt:” is not allowed, only “https:”");
    assert_eq!(why("http://as.example/"), "it is not encrypted (http)");
    assert_eq!(why("https://as.example/$(calc)"), "it contains a character that is not allowed in a URL");
}

#[tokio::test]
async fn every_endpoint_in_the_metadata_is_checked() {
    let fake = Fake::start().await;
    for raw in BAD.iter().filter(|raw| !raw.is_empty()) {
        for (field, name) in [
            ("authorization_endpoint", "the authorization endpoint"),
            ("token_endpoint", "the token endpoint"),
            ("registration_endpoint", "the registration endpoint"),
        ] {
            fake.serve_changed_metadata(json!({ field: raw })).forget_requests();
            let error = discovery_error(&fake).await;
            let ErrorKind::BadEndpoint { name: found, .. } = error.kind else { panic!("{raw:?}: {error}") };
            assert_eq!((error.step, found.as_str()), (Step::ServerMetadata, name));
            let is_document = |line: &String| line.starts_with("GET /.well-known/");
            assert!(fake.request_lines().iter().all(is_document), "only documents are requested");
        }
    }
}

#[tokio::test]
async fn the_url_of_an_authorization_server_is_checked() {
    for raw in [
        "javascript:alert(1)",
        "file:///etc",
        "http://as.example",
        "https://u@as.example",
        "https://as.example?x",
    ] {
        let fake = Fake::start().await;
        fake.serve_changed_resource_metadata(json!({ "authorization_servers": [raw] }));
        let error = discovery_error(&fake).await;
        assert!(matches!(error.kind, ErrorKind::BadEndpoint { .. }), "{raw}");
    }
}

#[tokio::test]
async fn an_invalid_url_in_a_challenge_is_not_requested() {
    for raw in ["javascript:alert(1)", "file:///etc/passwd", "http://as.example/m", "//evil.example/m"] {
        let fake = Fake::start_with_metadata().await;
        let challenge = challenge(&format!("Bearer resource_metadata=\"{raw}\""));
        discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap();
        assert_eq!(
            fake.request_lines(),
            [RESOURCE, METADATA],
            "the well-known address is used instead of {raw}"
        );
        // Without a document there, the error names the invalid address.
        let fake = Fake::start().await;
        let error = discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap_err();
        assert!(matches!(error.kind, ErrorKind::BadEndpoint { .. }), "{raw}");
        assert_eq!(error.tried.len(), 1, "{raw}");
    }
}

#[tokio::test]
async fn stored_metadata_is_checked_when_it_is_loaded() {
    let fake = Fake::start_with_metadata().await;
    let stored = serde_json::to_string(&discovered(&fake).await).unwrap();
    let tampered = stored.replace(&fake.at("/authorize"), "javascript:alert(1)");
    assert!(serde_json::from_str::<Discovered>(&stored).is_ok());
    assert!(serde_json::from_str::<Discovered>(&tampered).is_err());
}

#[test]
fn servers_are_https_or_loopback() {
    for raw in [
        "https://mcp.example/mcp?login",
        "https://mcp.example/$x?filter=(a,'b')",
        "http://127.0.0.1:1/mcp",
        " https://mcp.example/ ",
    ] {
        assert!(ServerUrl::parse(raw).is_ok(), "{raw}");
    }
    for raw in [
        "http://mcp.example",
        "https://u:p@mcp.example",
        "https://mcp.example/#x",
        "ftp://mcp.example",
        "mcp.example",
    ] {
        assert!(ServerUrl::parse(raw).is_err(), "{raw}");
    }
}

#[test]
fn redirect_uris_use_the_custom_scheme_or_loopback() {
    for raw in [
        RedirectUri::CUSTOM_SCHEME,
        RedirectUri::CUSTOM_SCHEME_WITH_HOST,
        "http://127.0.0.1:1/x",
        "http://localhost:1/x",
        "http://[::1]:1/x",
    ] {
        assert_eq!(RedirectUri::parse(raw).unwrap().as_str(), raw);
    }
    for raw in [
        "https://evil.example/callback",
        "http://evil.example/callback",
        "http://127.0.0.1.nip.io/",
        "http://127.0.0.1:1/x?y",
        "http://127.0.0.1:1/x#y",
        "http://u@127.0.0.1:1/x",
        "http://127.0.0.1:1",
        "cursor://callback",
        "dev.usher.desktop:/other",
        "",
    ] {
        assert!(RedirectUri::parse(raw).is_err(), "{raw}");
    }
    assert_eq!(RedirectUri::loopback(4711).as_str(), "http://127.0.0.1:4711/oauth/callback");
}
