//! Servers of MCP 2025-03-26, which are their own authorization servers.

use serde_json::json;
use usher_oauth::{
    ClientSettings, DiscoveryRequest, ErrorKind, Flow, Issuer, MetadataSource, Step, discover, exchange,
};

use crate::support::*;

const RESOURCE_REQUESTS: [&str; 2] = [RESOURCE, "GET /.well-known/oauth-protected-resource"];
const OPENID: &str = "GET /.well-known/openid-configuration";

#[tokio::test]
async fn metadata_at_the_servers_origin_is_used() {
    let fake = Fake::start().await;
    fake.on(METADATA, Response::json(fake.server_document()));
    let found = discovered(&fake).await;
    assert_eq!(found.source, MetadataSource::ServerOrigin);
    assert_eq!((found.resource, found.sends_resource), (fake.at("/mcp"), false));
    assert_eq!(fake.request_lines(), [RESOURCE_REQUESTS[0], RESOURCE_REQUESTS[1], METADATA]);
}

#[tokio::test]
async fn without_metadata_the_default_endpoints_are_used() {
    let fake = Fake::start().await;
    let found = discovered(&fake).await;
    assert_eq!(found.source, MetadataSource::DefaultEndpoints);
    assert_eq!(found.metadata.issuer.as_str(), fake.origin);
    assert_eq!(found.metadata.authorization_endpoint.unwrap().as_str(), fake.at("/authorize"));
    assert_eq!(found.metadata.token_endpoint.as_str(), fake.at("/token"));
    assert_eq!(found.metadata.registration_endpoint.unwrap().as_str(), fake.at("/register"));
    assert_eq!(fake.request_lines(), [RESOURCE_REQUESTS[0], RESOURCE_REQUESTS[1], METADATA, OPENID]);
}

#[tokio::test]
async fn a_sign_in_with_default_endpoints_sends_no_resource() {
    let fake = Fake::start().await;
    let pending = pending(&fake).await;
    assert_eq!(parameter(&pending, "resource"), None);
    assert_eq!(parameter(&pending, "code_challenge_method").as_deref(), Some("S256"));
    fake.on(TOKEN, Response::json(json!({ "access_token": "t" })));
    let grant = exchange(&http_for(&fake).await, accepted(pending), now()).await.unwrap();
    assert_eq!(grant.binding.resource, fake.at("/mcp"));
    assert!(!fake.requests_to(TOKEN)[0].form().contains_key("resource"));
}

#[tokio::test]
async fn a_stored_grant_prevents_the_fallback() {
    let fake = Fake::start().await;
    fake.on(METADATA, Response::json(fake.server_document()));
    let (server, settings) = (fake.server(), ClientSettings::default());
    let request = DiscoveryRequest { server: &server, challenge: None, settings: &settings, has_grant: true };
    let error = discover(&http_for(&fake).await, request).await.unwrap_err();
    assert_eq!((error.step, error.kind), (Step::ResourceMetadata, ErrorKind::MetadataMissing));
    assert_eq!(fake.request_lines(), RESOURCE_REQUESTS);
}

#[tokio::test]
async fn an_outage_or_an_html_page_prevents_the_fallback() {
    // An outage must not be mistaken for missing metadata.
    for line in RESOURCE_REQUESTS {
        let fake = Fake::start().await;
        fake.on(line, Response::new(500, "text/plain", ""));
        let error = discovery_error(&fake).await;
        assert_eq!((error.step, error.kind), (Step::ResourceMetadata, ErrorKind::Status(500)));
    }
    let fake = Fake::start().await;
    for line in [RESOURCE_REQUESTS[0], RESOURCE_REQUESTS[1], METADATA, OPENID] {
        fake.on(line, Response::new(200, "text/html", "<!doctype html>"));
    }
    let error = discovery_error(&fake).await;
    assert_eq!((error.step, error.kind), (Step::ServerMetadata, ErrorKind::NotJson));
}

#[tokio::test]
async fn the_fallback_checks_the_issuer_too() {
    let fake = Fake::start().await;
    let document = merged(fake.server_document(), json!({ "issuer": "https://other.example" }));
    fake.on(METADATA, Response::json(document));
    let error = discovery_error(&fake).await;
    assert!(matches!(error.kind, ErrorKind::IssuerMismatch { .. }));
}

#[tokio::test]
async fn configured_endpoints_need_no_request() {
    let fake = Fake::start().await;
    let endpoints = Some((Some(fake.at("/a").parse().unwrap()), fake.at("/t").parse().unwrap()));
    let settings = ClientSettings { client_id: Some("id".into()), endpoints, ..Default::default() };
    let found = discover_with(&fake, None, &settings).await.unwrap();
    assert_eq!(found.source, MetadataSource::Settings);
    assert_eq!(found.metadata.issuer, Issuer::parse(&fake.origin).unwrap());
    assert_eq!(found.metadata.token_endpoint.as_str(), fake.at("/t"));
    assert_eq!(fake.request_lines(), Vec::<String>::new());
}

#[tokio::test]
async fn without_a_person_the_token_endpoint_in_the_settings_is_enough() {
    let fake = Fake::start_with_metadata().await;
    for (client_id, flow) in [(Some("id"), Flow::ClientCredentials), (None, Flow::JwtBearer)] {
        let endpoints = Some((None, fake.at("/t").parse().unwrap()));
        let client_id = client_id.map(str::to_owned);
        let settings = ClientSettings { client_id, endpoints, flow, ..Default::default() };
        let found = discover_with(&fake, None, &settings).await.unwrap();
        assert_eq!(found.source, MetadataSource::Settings);
        assert_eq!(found.metadata.token_endpoint.as_str(), fake.at("/t"));
        assert_eq!(fake.request_lines(), Vec::<String>::new());
    }
}
