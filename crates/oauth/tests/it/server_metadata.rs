//! Authorization server metadata (RFC 8414, OpenID Connect Discovery): its URLs, the issuer check, PKCE.

use serde_json::json;
use usher_oauth::{AuthorizationServerMetadata, ClientSettings, Endpoint, ErrorKind, Issuer, Step};

use crate::support::*;

/// Starts a fake whose issuer has this path. It serves the metadata only for the request `line`.
async fn fake_with(path: &str, line: &str) -> Fake {
    let fake = Fake::start().await;
    fake.serve_changed_resource_metadata(json!({ "authorization_servers": [fake.at(path)] }));
    fake.on(line, Response::json(merged(fake.server_document(), json!({ "issuer": fake.at(path) }))));
    fake
}

#[tokio::test]
async fn every_metadata_url_is_tried_in_order() {
    let with_path = [
        "GET /.well-known/oauth-authorization-server/t/1",
        "GET /.well-known/openid-configuration/t/1",
        "GET /t/1/.well-known/openid-configuration",
    ];
    let table: [(&str, &[&str]); 7] = [
        ("", &[METADATA]),
        ("/", &[METADATA]),
        ("", &[METADATA, "GET /.well-known/openid-configuration"]),
        ("/t/1", &with_path[..1]),
        ("/t/1", &with_path[..2]),
        ("/t/1", &with_path),
        ("/t/", &["GET /.well-known/oauth-authorization-server/t"]),
    ];
    for (path, expected) in table {
        let fake = fake_with(path, expected.last().unwrap()).await;
        assert_eq!(discovered(&fake).await.metadata.issuer.as_str(), fake.at(path));
        assert_eq!(fake.request_lines()[1..], *expected);
    }
}

#[tokio::test]
async fn the_issuer_must_be_the_requested_one() {
    // A slash at the end is ignored if the issuer has no path.
    for (requested, named) in [("", "/"), ("/", "")] {
        let fake = fake_with(requested, METADATA).await;
        let document = merged(fake.server_document(), json!({ "issuer": fake.at(named) }));
        fake.on(METADATA, Response::json(document));
        let issuer = discovered(&fake).await.metadata.issuer;
        assert_eq!(issuer.as_str(), fake.at(named), "the string of the document is used");
    }
    let differs = ["https://attacker.example", "ORIGIN/x", "ORIGIN//", "ORIGIN?x", "LOCALHOST", "HTTP"];
    for named in differs {
        let fake = fake_with("", METADATA).await;
        let named = match named {
            "LOCALHOST" => fake.origin.replace("127.0.0.1", "localhost"),
            "HTTP" => fake.origin.replace("http", "HTTP"),
            other => other.replace("ORIGIN", &fake.origin),
        };
        fake.on(METADATA, Response::json(merged(fake.server_document(), json!({ "issuer": named }))));
        let error = discovery_error(&fake).await;
        let expected = ErrorKind::IssuerMismatch { expected: fake.origin.clone(), found: named };
        assert_eq!((error.step, error.kind), (Step::ServerMetadata, expected));
        assert!(!fake.request_lines().iter().any(|line| line.starts_with("POST")));
    }
}

#[tokio::test]
async fn a_slash_after_a_path_is_significant() {
    let line = "GET /.well-known/oauth-authorization-server/t";
    let fake = fake_with("/t", line).await;
    fake.on(line, Response::json(merged(fake.server_document(), json!({ "issuer": fake.at("/t/") }))));
    let error = discovery_error(&fake).await;
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }));
}

#[tokio::test]
async fn metadata_of_the_root_issuer_is_skipped_for_an_issuer_with_a_path() {
    let fake = fake_with("/t", "GET /t/.well-known/openid-configuration").await;
    fake.on("GET /.well-known/oauth-authorization-server/t", Response::json(fake.server_document()));
    assert_eq!(discovered(&fake).await.metadata.issuer.as_str(), fake.at("/t"));
}

#[tokio::test]
async fn every_supported_field_is_read() {
    let fake = Fake::start().await;
    fake.serve_changed_metadata(json!({
        "revocation_endpoint": fake.at("/revoke"),
        "device_authorization_endpoint": fake.at("/device"),
        "grant_types_supported": ["refresh_token"],
        "scopes_supported": ["read", 7, "offline_access"],
        "client_id_metadata_document_supported": true,
        "authorization_response_iss_parameter_supported": "true",
        "token_endpoint_auth_methods_supported": ["none"],
        "unknown": { "field": true },
    }));
    let endpoint = |path: &str| Endpoint::parse("", &fake.at(path)).unwrap();
    let expected = AuthorizationServerMetadata {
        issuer: Issuer::parse(&fake.origin).unwrap(),
        authorization_endpoint: Some(endpoint("/authorize")),
        token_endpoint: endpoint("/token"),
        registration_endpoint: Some(endpoint("/register")),
        revocation_endpoint: Some(endpoint("/revoke")),
        device_authorization_endpoint: Some(endpoint("/device")),
        grant_types_supported: Some(vec!["refresh_token".into()]),
        scopes_supported: vec!["read".into(), "offline_access".into()],
        token_endpoint_auth_methods_supported: Some(vec!["none".into()]),
        code_challenge_methods_supported: vec!["S256".into()],
        client_id_metadata_document_supported: true,
        authorization_response_iss_parameter_supported: true,
        dpop_signing_alg_values_supported: None,
    };
    assert_eq!(discovered(&fake).await.metadata, expected);
}

#[tokio::test]
async fn optional_fields_of_the_wrong_type_count_as_absent() {
    let fake = Fake::start().await;
    fake.serve_changed_metadata(json!({
        "registration_endpoint": 1, "revocation_endpoint": "javascript:x", "scopes_supported": {},
        "device_authorization_endpoint": "javascript:x", "grant_types_supported": "all",
        "client_id_metadata_document_supported": "maybe", "token_endpoint_auth_methods_supported": "none",
    }));
    let metadata = discovered(&fake).await.metadata;
    assert_eq!((metadata.registration_endpoint, metadata.revocation_endpoint), (None, None));
    assert_eq!((metadata.device_authorization_endpoint, metadata.grant_types_supported), (None, None));
    assert_eq!((metadata.scopes_supported, metadata.token_endpoint_auth_methods_supported), (vec![], None));
    assert!(!metadata.client_id_metadata_document_supported);
}

#[tokio::test]
async fn pkce_must_be_advertised_or_allowed_to_be_missing() {
    let table = [
        (json!(["S256"]), false, true),
        (json!(["plain", "S256"]), false, true),
        // Only "plain" is advertised. S256 is used anyway.
        (json!(["plain"]), false, true),
        (json!([]), false, false),
        (json!(null), false, false),
        (json!("S256"), false, false),
        (json!(null), true, true),
    ];
    for (methods, allow_missing_pkce, is_accepted) in table {
        let fake =
            Fake::start_with_changed_metadata(json!({ "code_challenge_methods_supported": methods })).await;
        let settings = ClientSettings { allow_missing_pkce, ..Default::default() };
        let error = discover_with(&fake, None, &settings).await.map_err(|error| error.kind).err();
        assert_eq!(error, (!is_accepted).then_some(ErrorKind::PkceUnsupported), "{methods}");
    }
}

#[tokio::test]
async fn reserved_parameters_are_rejected() {
    let fake = Fake::start().await;
    for (query, name) in [
        ("a=b&state=x", "state"),
        ("a=b&redirect_uri=x", "redirect_uri"),
        ("a=b&client_id=x", "client_id"),
        ("a=b&code_challenge=x", "code_challenge"),
        ("a=b&scope=x", "scope"),
        ("a=b&response_type=x", "response_type"),
        ("a=b&resource=x", "resource"),
        ("a=b&prompt=x", "prompt"),
        ("st%61te=x", "state"),
    ] {
        fake.serve_changed_metadata(
            json!({ "authorization_endpoint": fake.at(&format!("/authorize?{query}")) }),
        );
        let error = discovery_error(&fake).await;
        assert_eq!(error.kind, ErrorKind::ReservedParameter(name.into()));
    }
    let endpoint = fake.at("/authorize?tenant=7");
    fake.serve_changed_metadata(json!({ "authorization_endpoint": endpoint }));
    assert_eq!(discovered(&fake).await.metadata.authorization_endpoint.unwrap().as_str(), endpoint);
}

#[tokio::test]
async fn the_error_states_what_is_missing() {
    let malformed = |what: &str| ErrorKind::Malformed { what: what.into() };
    let table = [
        (Response::json(json!({})), malformed("it has no issuer")),
        (Response::new(200, "text/html", "<p>hi"), ErrorKind::NotJson),
        (Response::new(200, "application/json", "[1]"), ErrorKind::NotJson),
        (Response::text(404, ""), ErrorKind::MetadataMissing),
        (Response::text(502, ""), ErrorKind::Status(502)),
    ];
    for (response, expected) in table {
        let fake = Fake::start_with_response(METADATA, response).await;
        let error = discovery_error(&fake).await;
        assert_eq!((error.step, error.kind), (Step::ServerMetadata, expected));
    }
    for (field, what) in [
        ("authorization_endpoint", "it has no authorization endpoint"),
        ("token_endpoint", "it has no token endpoint"),
    ] {
        let fake = Fake::start_with_changed_metadata(json!({ field: null })).await;
        assert_eq!(discovery_error(&fake).await.kind, malformed(what));
    }
}
