//! Protected resource metadata (RFC 9728): its URLs and its validation.

use serde_json::json;
use usher_oauth::{
    ClientSettings, DiscoveryRequest, ErrorKind, MetadataSource, Scopes, ServerUrl, Step, discover,
};

use crate::support::{Answer, Fake, challenge, discover_with, discovered, http_for, merged};

const AT_PATH: &str = "GET /.well-known/oauth-protected-resource/mcp";
const AT_ROOT: &str = "GET /.well-known/oauth-protected-resource";
const SERVER: &str = "GET /.well-known/oauth-authorization-server";

#[tokio::test]
async fn the_url_in_the_challenge_comes_first() {
    let fake = Fake::start().await;
    fake.with_documents().on("GET /custom.json?v=1", Answer::json(fake.resource_document()));
    let challenge = challenge(&format!("Bearer resource_metadata=\"{}\"", fake.at("/custom.json?v=1")));
    let found = discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap();
    assert_eq!(found.resource, fake.at("/mcp"));
    assert_eq!(found.source, MetadataSource::ResourceMetadata);
    assert_eq!(fake.lines(), ["GET /custom.json?v=1", SERVER]);
}

#[tokio::test]
async fn a_url_without_origin_in_the_challenge_is_at_the_server() {
    let fake = Fake::start().await;
    fake.with_documents().on("GET /custom.json", Answer::json(fake.resource_document()));
    let challenge = challenge("Bearer resource_metadata=\"/custom.json\"");
    discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap();
    assert_eq!(fake.lines(), ["GET /custom.json", SERVER]);
}

#[tokio::test]
async fn without_a_challenge_the_path_form_comes_first() {
    let fake = Fake::start().await;
    fake.with_documents();
    discovered(&fake).await;
    assert_eq!(fake.lines(), [AT_PATH, SERVER]);
}

#[tokio::test]
async fn then_the_root_form() {
    for absent in [
        Answer::new(404, "text/plain", "no"),
        Answer::new(401, "application/json", "{}"),
        Answer::new(200, "text/html", "<!doctype html><p>Hello"),
    ] {
        let fake = Fake::start().await;
        fake.with_documents().on(AT_PATH, absent).on(AT_ROOT, Answer::json(fake.resource_document()));
        discovered(&fake).await;
        assert_eq!(fake.lines(), [AT_PATH, AT_ROOT, SERVER]);
    }
}

#[tokio::test]
async fn a_missing_document_of_the_challenge_falls_back_to_the_well_known_urls() {
    let fake = Fake::start().await;
    fake.with_documents();
    let challenge = challenge(&format!("Bearer resource_metadata=\"{}\"", fake.at("/gone")));
    discover_with(&fake, Some(&challenge), &ClientSettings::default()).await.unwrap();
    assert_eq!(fake.lines(), ["GET /gone", AT_PATH, SERVER]);
}

#[tokio::test]
async fn a_server_at_the_root_needs_one_request() {
    let fake = Fake::start().await;
    fake.with_documents().on(
        AT_ROOT,
        Answer::json(json!({ "resource": fake.at("/"), "authorization_servers": [fake.origin] })),
    );
    let (server, settings) = (ServerUrl::parse(&fake.origin).unwrap(), ClientSettings::default());
    let request =
        DiscoveryRequest { server: &server, challenge: None, settings: &settings, has_grant: false };
    let found = discover(&http_for(&fake).await, request).await.unwrap();
    assert_eq!(found.resource, fake.at("/"));
    assert_eq!(fake.lines(), [AT_ROOT, SERVER]);
}

#[tokio::test]
async fn the_resource_must_be_this_server() {
    let fake = Fake::start().await;
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
        fake.with_documents()
            .on(AT_PATH, Answer::json(merged(fake.resource_document(), json!({ "resource": resource }))));
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
        fake.on(AT_PATH, Answer::json(merged(fake.resource_document(), json!({ "resource": resource }))));
        fake.forget_requests();
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!(
            error.kind,
            ErrorKind::ResourceMismatch { expected: server.clone(), found: resource.clone() }
        );
        assert_eq!(fake.lines(), [AT_PATH], "no request follows {resource}");
    }
}

#[tokio::test]
async fn optional_fields_may_have_any_type() {
    let fake = Fake::start().await;
    let odd = json!({
        "scopes_supported": "read write", "resource_name": 7, "jwks_uri": [], "extra": { "deep": [1] },
        "bearer_methods_supported": "header",
    });
    fake.with_documents().on(AT_PATH, Answer::json(merged(fake.resource_document(), odd)));
    let found = discovered(&fake).await;
    assert_eq!((found.scopes, found.scopes_supported, found.resource_name), (Scopes::default(), None, None));
}

#[tokio::test]
async fn the_content_type_and_a_byte_order_mark_do_not_matter() {
    let fake = Fake::start().await;
    let body = format!("\u{feff} {}\n", fake.resource_document());
    fake.with_documents().on(AT_PATH, Answer::new(200, "text/plain", body));
    discovered(&fake).await;
}

#[tokio::test]
async fn the_name_of_a_service_is_sanitised_for_display() {
    let fake = Fake::start().await;
    let named = json!({ "resource_name": "Note\u{202e}s\u{1b}[31m \n Inc" });
    fake.with_documents().on(AT_PATH, Answer::json(merged(fake.resource_document(), named)));
    assert_eq!(discovered(&fake).await.resource_name.as_deref(), Some("Notes[31m Inc"));
}

#[tokio::test]
async fn a_broken_document_does_not_count_as_absent() {
    let table = [
        (
            Answer::json(json!({ "authorization_servers": [] })),
            ErrorKind::Malformed { what: "it has no resource".into() },
        ),
        (
            Answer::new(200, "application/json", "{\"resource\": "),
            ErrorKind::Malformed { what: "its JSON is broken or nested too deeply".into() },
        ),
        (Answer::new(500, "text/plain", "oh"), ErrorKind::Status(500)),
        (
            Answer::new(503, "text/plain", "oh").with("retry-after", "7"),
            ErrorKind::Transient { status: 503, retry_after: Some(std::time::Duration::from_secs(7)) },
        ),
    ];
    for (answer, expected) in table {
        let fake = Fake::start().await;
        fake.with_documents().on(AT_PATH, answer);
        let error = discover_with(&fake, None, &ClientSettings::default()).await.unwrap_err();
        assert_eq!(
            (error.step, error.host.as_deref(), error.kind),
            (Step::ResourceMetadata, Some(fake.host()), expected)
        );
    }
}

#[tokio::test]
async fn the_next_authorization_server_on_the_list_is_tried() {
    let (fake, gone) = (Fake::start().await, Fake::start().await);
    let listed = json!({ "authorization_servers": [gone.origin, fake.origin] });
    fake.with_documents().on(AT_PATH, Answer::json(merged(fake.resource_document(), listed)));
    assert_eq!(discovered(&fake).await.metadata.issuer.as_str(), fake.origin);
}
