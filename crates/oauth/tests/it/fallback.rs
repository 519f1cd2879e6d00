//! Servers of MCP 2025-03-26, which are their own authorization servers.

use serde_json::json;
use usher_oauth::{ClientSettings, DiscoveryRequest, ErrorKind, Issuer, MetadataSource, Step, discover};

use crate::support::{
    Answer, Fake, accepted, discover_with, discovered, http_for, merged, parameter, pending,
};

const NO_RESOURCE: [&str; 2] =
    ["GET /.well-known/oauth-protected-resource/mcp", "GET /.well-known/oauth-protected-resource"];
const OAUTH: &str = "GET /.well-known/oauth-authorization-server";
const OPENID: &str = "GET /.well-known/openid-configuration";

#[tokio::test]
async fn metadata_at_the_servers_origin() {
    let fake = Fake::start().await;
    fake.on(OAUTH, Answer::json(fake.server_document()));
    let found = discovered(&fake).await;
    assert_eq!(found.source, MetadataSource::ServerOrigin);
    assert_eq!((found.resource, found.sends_resource), (fake.at("/mcp"), false));
    assert_eq!(fake.lines(), [NO_RESOURCE[0], NO_RESOURCE[1], OAUTH]);
}

#[tokio::test]
async fn no_metadata_at_all_means_the_default_endpoints() {
    let fake = Fake::start().await;
    let found = discovered(&fake).await;
    assert_eq!(found.source, MetadataSource::DefaultEndpoints);
    assert_eq!(found.metadata.issuer.as_str(), fake.origin);
    assert_eq!(found.metadata.authorization_endpoint.as_str(), fake.at("/authorize"));
    assert_eq!(found.metadata.token_endpoint.as_str(), fake.at("/token"));
    assert_eq!(found.metadata.registration_endpoint.unwrap().as_str(), fake.at("/register"));
    assert_eq!(fake.lines(), [NO_RESOURCE[0], NO_RESOURCE[1], OAUTH, OPENID]);
}

#[tokio::test]
async fn a_sign_in_with_default_endpoints_sends_no_resource() {
    let fake = Fake::start().await;
    let pending = pending(&fake).await;
    assert_eq!(parameter(&pending, "resource"), None);
    assert_eq!(parameter(&pending, "code_challenge_method").as_deref(), Some("S256"));
    fake.on("POST /token", Answer::json(json!({ "access_token": "t" })));
    let grant = usher_oauth::exchange(&http_for(&fake).await, accepted(pending), crate::support::now())
        .await
        .unwrap();
    assert_eq!(grant.binding.resource, fake.at("/mcp"));
    assert!(!fake.seen("POST /token")[0].form().contains_key("resource"));
}

#[tokio::test]
async fn no_fallback_if_a_grant_is_stored() {
    let fake = Fake::start().await;
    fake.on(OAUTH, Answer::json(fake.server_document()));
    let (server, settings) = (fake.server(), ClientSettings::default());
    let request = DiscoveryRequest { server: &server, challenge: None, settings: &settings, has_grant: true };
    let error = discover(&http_for(&fake).await, request).await.unwrap_err();
    assert_eq!((error.step, error.kind), (Step::ResourceMetadata, ErrorKind::MetadataMissing));
    assert_eq!(fake.lines(), NO_RESOURCE);
}

#[tokio::test]
async fn no_fallback_after_an_outage_or_an_html_page() {
    // An outage must not be mistaken for missing metadata.
    for line in NO_RESOURCE {
        let fake = Fake::start().await;
        fake.on(line, Answer::new(500, "text/plain", ""));
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!((error.step, error.kind), (Step::ResourceMetadata, ErrorKind::Status(500)));
    }
    let fake = Fake::start().await;
    for line in [NO_RESOURCE[0], NO_RESOURCE[1], OAUTH, OPENID] {
        fake.on(line, Answer::new(200, "text/html", "<!doctype html>"));
    }
    let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
    assert_eq!((error.step, error.kind), (Step::ServerMetadata, ErrorKind::NotJson));
}

#[tokio::test]
async fn the_fallback_checks_the_issuer_too() {
    let fake = Fake::start().await;
    fake.on(
        OAUTH,
        Answer::json(merged(fake.server_document(), json!({ "issuer": "https://other.example" }))),
    );
    let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }));
}

#[tokio::test]
async fn configured_endpoints_need_no_request() {
    let fake = Fake::start().await;
    let endpoints = Some((fake.at("/a").parse().unwrap(), fake.at("/t").parse().unwrap()));
    let settings = ClientSettings { client_id: Some("id".into()), endpoints, ..Default::default() };
    let found = discover_with(&fake, None, &settings).await.unwrap();
    assert_eq!(found.source, MetadataSource::Settings);
    assert_eq!(found.metadata.issuer, Issuer::parse(&fake.origin).unwrap());
    assert_eq!(found.metadata.token_endpoint.as_str(), fake.at("/t"));
    assert_eq!(fake.lines(), Vec::<String>::new());
}
