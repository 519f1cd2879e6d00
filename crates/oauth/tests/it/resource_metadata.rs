//! Protected resource metadata (RFC 9728): its URLs and its validation.

use std::time::Duration;

use serde_json::json;
use usher_oauth::{ClientSettings, ErrorKind, MetadataSource, Scopes, ServerUrl, Step};

use crate::support::*;

const AT_ROOT: &str = "GET /.well-known/oauth-protected-resource";

#[tokio::test]
async fn the_url_in_the_challenge_comes_first() {
    let fake = Fake::start().await;
    fake.serve_metadata().on("GET /custom.json?v=1", Response::json(fake.resource_document()));
    let challenge = challenge(&format!("Bearer resource_metadata=\"{}\"", fake.at("/custom.json?v=1")));
    let found = discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap();
    assert_eq!(found.resource, fake.at("/mcp"));
    assert_eq!(found.source, MetadataSource::ResourceMetadata);
    assert_eq!(fake.request_lines(), ["GET /custom.json?v=1", METADATA]);
}

#[tokio::test]
async fn a_url_without_origin_in_the_challenge_gets_the_origin_of_the_server() {
    let fake = Fake::start().await;
    fake.serve_metadata().on("GET /custom.json", Response::json(fake.resource_document()));
    let challenge = challenge("Bearer resource_metadata=\"/custom.json\"");
    discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap();
    assert_eq!(fake.request_lines(), ["GET /custom.json", METADATA]);
}

#[tokio::test]
async fn without_a_challenge_the_url_with_the_path_comes_first() {
    let fake = Fake::start_with_metadata().await;
    discovered(&fake).await;
    assert_eq!(fake.request_lines(), [RESOURCE, METADATA]);
}

#[tokio::test]
async fn the_url_at_the_root_comes_next() {
    for absent in [
        Response::text(404, "no"),
        Response::new(401, "application/json", "{}"),
        Response::new(200, "text/html", "<!doctype html><p>Hello"),
    ] {
        let fake = Fake::start().await;
        fake.serve_metadata().on(RESOURCE, absent).on(AT_ROOT, Response::json(fake.resource_document()));
        discovered(&fake).await;
        assert_eq!(fake.request_lines(), [RESOURCE, AT_ROOT, METADATA]);
    }
}

#[tokio::test]
async fn if_the_url_in_the_challenge_has_no_document_the_well_known_urls_are_tried() {
    let fake = Fake::start_with_metadata().await;
    let challenge = challenge(&format!("Bearer resource_metadata=\"{}\"", fake.at("/gone")));
    discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap();
    assert_eq!(fake.request_lines(), ["GET /gone", RESOURCE, METADATA]);
}

#[tokio::test]
async fn a_server_at_the_root_needs_one_request_for_resource_metadata() {
    let fake = Fake::start_with_metadata().await;
    let document = merged(fake.resource_document(), json!({ "resource": fake.at("/") }));
    fake.on(AT_ROOT, Response::json(document));
    let server = ServerUrl::parse(&fake.origin).unwrap();
    let found = discover_with_client(&http_for(&fake).await, &server, None).await.unwrap();
    assert_eq!(found.resource, fake.at("/"));
    assert_eq!(fake.request_lines(), [AT_ROOT, METADATA]);
}

#[tokio::test]
async fn the_resource_must_identify_this_server() {
    let fake = Fake::start_with_metadata().await;
    let server = fake.at("/mcp");
    let matching = [
        server.clone(),
        format!("{server}/"),
        fake.origin.clone(),
        format!("{}/", fake.origin),
        format!("{server}?tenant=1"),
        server.replace("http:", "HTTP:"),
    ];
    for resource in matching {
        fake.serve_changed_resource_metadata(json!({ "resource": resource }));
        // Requests use the exact string of the document.
        assert_eq!(discovered(&fake).await.resource, resource);
    }
    let differs = [
        "https://evil.example/mcp".to_owned(),
        format!("{server}x"),
        format!("{server}/deeper"),
        server.replace("127.0.0.1", "localhost"),
        server.replace("http:", "https:"),
        format!("{server}#part"),
        server.replace("http://", "http://user@"),
        "mcp".to_owned(),
    ];
    for resource in differs {
        fake.serve_changed_resource_metadata(json!({ "resource": resource })).forget_requests();
        let expected = ErrorKind::ResourceMismatch { expected: server.clone(), found: resource.clone() };
        assert_eq!(discovery_error(&fake).await.kind, expected);
        assert_eq!(
            fake.request_lines(),
            [RESOURCE, AT_ROOT],
            "no authorization server is asked for {resource}"
        );
    }
}

#[tokio::test]
async fn optional_fields_of_the_wrong_type_count_as_absent() {
    let fake = Fake::start_with_metadata().await;
    let odd = json!({
        "scopes_supported": "read write", "resource_name": 7, "jwks_uri": [], "extra": { "deep": [1] },
        "bearer_methods_supported": "header",
    });
    fake.serve_changed_resource_metadata(odd);
    let found = discovered(&fake).await;
    assert_eq!((found.scopes, found.scopes_supported, found.resource_name), (Scopes::default(), None, None));
}

#[tokio::test]
async fn the_content_type_and_a_byte_order_mark_do_not_matter() {
    let fake = Fake::start().await;
    let body = format!("\u{feff} {}\n", fake.resource_document());
    fake.serve_metadata().on(RESOURCE, Response::new(200, "text/plain", body));
    discovered(&fake).await;
}

#[tokio::test]
async fn the_name_of_a_service_is_sanitised_for_display() {
    let fake = Fake::start_with_metadata().await;
    fake.serve_changed_resource_metadata(json!({ "resource_name": "Note\u{202e}s\u{1b}[31m \n Inc" }));
    assert_eq!(discovered(&fake).await.resource_name.as_deref(), Some("Notes[31m Inc"));
}

#[tokio::test]
async fn a_broken_document_does_not_count_as_absent() {
    let malformed = |what: &str| ErrorKind::Malformed { what: what.into() };
    let broken = Response::new(200, "application/json", "{\"resource\": ");
    let retry_after = Some(Duration::from_secs(7));
    let table = [
        (Response::json(json!({ "authorization_servers": [] })), malformed("it has no resource")),
        (broken, malformed("its JSON is broken or nested too deeply")),
        (Response::text(500, "oh"), ErrorKind::Status(500)),
        (
            Response::text(503, "oh").with("retry-after", "7"),
            ErrorKind::Transient { status: 503, retry_after },
        ),
    ];
    for (response, expected) in table {
        let fake = Fake::start_with_response(RESOURCE, response).await;
        let error = discovery_error(&fake).await;
        assert_eq!((error.step, error.host.as_deref()), (Step::ResourceMetadata, Some(fake.host())));
        assert_eq!(error.kind, expected);
    }
}

#[tokio::test]
async fn if_one_authorization_server_has_no_metadata_the_next_is_tried() {
    let (fake, gone) = (Fake::start_with_metadata().await, Fake::start().await);
    fake.serve_changed_resource_metadata(json!({ "authorization_servers": [gone.origin, fake.origin] }));
    assert_eq!(discovered(&fake).await.metadata.issuer.as_str(), fake.origin);
}
