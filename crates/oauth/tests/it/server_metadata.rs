//! Authorization server metadata (RFC 8414, OpenID Connect Discovery): its URLs, the issuer check, PKCE.

use serde_json::{Value, json};
use usher_oauth::{AuthorizationServerMetadata, ClientSettings, Endpoint, ErrorKind, Issuer, Step};

use crate::support::{Answer, Fake, discover_with, discovered, merged};

const RESOURCE: &str = "GET /.well-known/oauth-protected-resource/mcp";

/// A fake whose issuer has this path, with metadata only at `at`.
async fn fake_with(path: &str, at: &str, changes: Value) -> Fake {
    let fake = Fake::start().await;
    let issuer = fake.at(path);
    let resource = merged(fake.resource_document(), json!({ "authorization_servers": [issuer] }));
    let document = merged(merged(fake.server_document(), json!({ "issuer": issuer })), changes);
    fake.on(RESOURCE, Answer::json(resource)).on(at, Answer::json(document));
    fake
}

#[tokio::test]
async fn every_form_is_tried_in_order() {
    let oauth = "GET /.well-known/oauth-authorization-server";
    let openid = "GET /.well-known/openid-configuration";
    let table: [(&str, &[&str]); 7] = [
        ("", &[oauth]),
        ("/", &[oauth]),
        ("", &[oauth, openid]),
        ("/t/1", &["GET /.well-known/oauth-authorization-server/t/1"]),
        (
            "/t/1",
            &["GET /.well-known/oauth-authorization-server/t/1", "GET /.well-known/openid-configuration/t/1"],
        ),
        (
            "/t/1",
            &[
                "GET /.well-known/oauth-authorization-server/t/1",
                "GET /.well-known/openid-configuration/t/1",
                "GET /t/1/.well-known/openid-configuration",
            ],
        ),
        ("/t/", &["GET /.well-known/oauth-authorization-server/t"]),
    ];
    for (path, expected) in table {
        let fake = fake_with(path, expected.last().unwrap(), json!({})).await;
        assert_eq!(discovered(&fake).await.metadata.issuer.as_str(), fake.at(path));
        assert_eq!(fake.lines()[1..], *expected);
    }
}

#[tokio::test]
async fn the_issuer_must_be_the_one_asked_for() {
    let oauth = "GET /.well-known/oauth-authorization-server";
    // Only the slash after an origin is ignored.
    for (requested, named) in [("", "/"), ("/", "")] {
        let fake = fake_with(requested, oauth, json!({})).await;
        let document = merged(fake.server_document(), json!({ "issuer": fake.at(named) }));
        fake.on(oauth, Answer::json(document));
        assert_eq!(
            discovered(&fake).await.metadata.issuer.as_str(),
            fake.at(named),
            "the string of the document is used"
        );
    }
    let differs = ["https://attacker.example", "ORIGIN/x", "ORIGIN//", "ORIGIN?x", "LOCALHOST", "HTTP"];
    for named in differs {
        let fake = fake_with("", oauth, json!({})).await;
        let named = match named {
            "LOCALHOST" => fake.origin.replace("127.0.0.1", "localhost"),
            "HTTP" => fake.origin.replace("http", "HTTP"),
            other => other.replace("ORIGIN", &fake.origin),
        };
        fake.on(oauth, Answer::json(merged(fake.server_document(), json!({ "issuer": named }))));
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        let expected = ErrorKind::IssuerMismatch { expected: fake.origin.clone(), found: named };
        assert_eq!((error.step, error.kind), (Step::ServerMetadata, expected));
        assert!(!fake.lines().iter().any(|line| line.starts_with("POST")));
    }
}

#[tokio::test]
async fn a_slash_after_a_path_is_significant() {
    let at = "GET /.well-known/oauth-authorization-server/t";
    let fake = fake_with("/t", at, json!({})).await;
    fake.on(at, Answer::json(merged(fake.server_document(), json!({ "issuer": fake.at("/t/") }))));
    let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }));
}

#[tokio::test]
async fn the_roots_document_at_the_url_of_a_path_is_skipped() {
    let fake = fake_with("/t", "GET /t/.well-known/openid-configuration", json!({})).await;
    fake.on("GET /.well-known/oauth-authorization-server/t", Answer::json(fake.server_document()));
    assert_eq!(discovered(&fake).await.metadata.issuer.as_str(), fake.at("/t"));
}

#[tokio::test]
async fn the_whole_document_is_read() {
    let fake = Fake::start().await;
    fake.with_server_document(json!({
        "revocation_endpoint": fake.at("/revoke"),
        "scopes_supported": ["read", 7, "offline_access"],
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": "true",
        "token_endpoint_auth_methods_supported": ["none"],
        "unknown": { "field": true },
    }));
    let endpoint = |path: &str| Endpoint::parse("", &fake.at(path)).unwrap();
    let expected = AuthorizationServerMetadata {
        issuer: Issuer::parse(&fake.origin).unwrap(),
        authorization_endpoint: endpoint("/authorize"),
        token_endpoint: endpoint("/token"),
        registration_endpoint: Some(endpoint("/register")),
        revocation_endpoint: Some(endpoint("/revoke")),
        scopes_supported: vec!["read".into(), "offline_access".into()],
        token_endpoint_auth_methods_supported: Some(vec!["none".into()]),
        code_challenge_methods_supported: vec!["S256".into()],
        client_id_metadata_document_supported: true,
        authorization_response_iss_parameter_supported: true,
    };
    assert_eq!(discovered(&fake).await.metadata, expected);
}

#[tokio::test]
async fn optional_fields_of_the_wrong_type_count_as_absent() {
    let fake = Fake::start().await;
    fake.with_server_document(json!({
        "registration_endpoint": 1, "revocation_endpoint": "javascript:x", "scopes_supported": {},
        "client_id_metadata_document_supported": "maybe", "token_endpoint_auth_methods_supported": "none",
    }));
    let metadata = discovered(&fake).await.metadata;
    assert_eq!((metadata.registration_endpoint, metadata.revocation_endpoint), (None, None));
    assert_eq!((metadata.scopes_supported, metadata.token_endpoint_auth_methods_supported), (vec![], None));
    assert!(!metadata.client_id_metadata_document_supported);
}

#[tokio::test]
async fn pkce_must_be_advertised_or_allowed_to_be_missing() {
    let table = [
        (json!(["S256"]), false, true),
        (json!(["plain", "S256"]), false, true),
        // Only "plain" is advertised; S256 is used anyway.
        (json!(["plain"]), false, true),
        (json!([]), false, false),
        (json!(null), false, false),
        (json!("S256"), false, false),
        (json!(null), true, true),
    ];
    for (methods, allow_missing_pkce, is_accepted) in table {
        let fake = Fake::start().await;
        fake.with_server_document(json!({ "code_challenge_methods_supported": methods }));
        let settings = ClientSettings { allow_missing_pkce, ..Default::default() };
        let error = discover_with(&fake, None, &settings).await.map_err(|error| error.kind).err();
        assert_eq!(error, (!is_accepted).then_some(ErrorKind::PkceUnsupported), "{methods}");
    }
}

#[tokio::test]
async fn reserved_parameters_are_rejected() {
    for name in [
        "state",
        "redirect_uri",
        "client_id",
        "code_challenge",
        "scope",
        "response_type",
        "resource",
        "prompt",
    ] {
        let fake = Fake::start().await;
        fake.with_server_document(
            json!({ "authorization_endpoint": fake.at(&format!("/authorize?a=b&{name}=x")) }),
        );
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::ReservedParameter(name.into()));
    }
    let fake = Fake::start().await;
    fake.with_server_document(json!({ "authorization_endpoint": fake.at("/authorize?st%61te=x") }));
    let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::ReservedParameter("state".into()));
    let fake = Fake::start().await;
    fake.with_server_document(json!({ "authorization_endpoint": fake.at("/authorize?tenant=7") }));
    assert_eq!(
        discovered(&fake).await.metadata.authorization_endpoint.as_str(),
        fake.at("/authorize?tenant=7")
    );
}

#[tokio::test]
async fn the_error_states_what_is_missing() {
    let malformed = |what: &str| ErrorKind::Malformed { what: what.into() };
    let table = [
        (Answer::json(json!({})), malformed("it has no issuer")),
        (Answer::new(200, "text/html", "<p>hi"), ErrorKind::NotJson),
        (Answer::new(200, "application/json", "[1]"), ErrorKind::NotJson),
        (Answer::new(404, "text/plain", ""), ErrorKind::MetadataMissing),
        (Answer::new(502, "text/plain", ""), ErrorKind::Status(502)),
    ];
    for (answer, expected) in table {
        let fake = Fake::start().await;
        fake.with_documents().on("GET /.well-known/oauth-authorization-server", answer);
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!((error.step, error.kind), (Step::ServerMetadata, expected));
    }
    for (field, what) in [
        ("authorization_endpoint", "it has no authorization endpoint"),
        ("token_endpoint", "it has no token endpoint"),
    ] {
        let fake = Fake::start().await;
        fake.with_server_document(json!({ field: null }));
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!(error.kind, malformed(what));
    }
}
