//! Servers that are old or only partly correct, or that redirect elsewhere.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use usher_api::{Code, NeedsSignIn, Status};
use usher_fake_service::{FakeService, Reply, Request, result};

use crate::fixture::*;

/// A server's response to `server/discover`.
type Discovery = fn(&Request) -> Response;

/// A server without sign-in that speaks only 2025-06-18 and has one tool.
async fn old_server(discovery: Discovery) -> FakeService {
    mcp_server(move |request| match request.rpc_method().as_str() {
        "server/discover" => Some(discovery(request)),
        "initialize" => Some(result(
            request,
            json!({
                "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
                "serverInfo": { "name": "old", "title": "Old but \u{202e}good", "version": "1" },
            }),
        )),
        "tools/list" => {
            let tools = json!([{ "name": "t", "inputSchema": { "type": "object" } }]);
            Some(result(request, json!({ "tools": tools })))
        }
        _ => None,
    })
    .await
}

fn error(request: &Request, code: i32, data: Value) -> Response {
    let error = json!({ "code": code, "message": "no", "data": data });
    Reply::json(json!({ "jsonrpc": "2.0", "id": request.json()["id"], "error": error })).into_response()
}

fn unknown_method(request: &Request) -> Response {
    error(request, -32601, Value::Null)
}

#[tokio::test]
async fn every_server_without_discovery_gets_initialize() {
    let older_versions = |request: &Request| {
        let discovered = json!({
            "resultType": "complete", "supportedVersions": ["2025-06-18"], "capabilities": {},
            "ttlMs": 0, "cacheScope": "private",
        });
        result(request, discovered)
    };
    let responses: [Discovery; 7] = [
        |request| result(request, json!({})),
        older_versions,
        |request| error(request, -32022, json!({ "supported": ["2025-06-18"] })),
        unknown_method,
        |_| Reply::text(400, "what?").into_response(),
        |_| Reply::text(404, "what?").into_response(),
        |_| Reply::text(405, "what?").into_response(),
    ];
    for discovery in responses {
        let server = old_server(discovery).await;
        let (_sandbox, engine) = started_at(&server.url()).await;
        let view = until(&engine, &id(), is_connected).await;
        let Status::Connected { protocol, tool_count, .. } = view.status else { panic!("not connected") };
        assert_eq!((protocol.as_str(), tool_count), ("2025-06-18", 1));
        assert_eq!(view.title.as_deref(), Some("Old but good"));
        let methods = server.rpc_methods();
        assert_eq!(methods, ["server/discover", "initialize", "notifications/initialized", "tools/list"]);
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_never_responds_to_discovery_gets_initialize() {
    let server = old_server(|_| Reply::silent().into_response()).await;
    let (_sandbox, engine) = started_at(&server.url()).await;
    let view = until(&engine, &id(), is_connected).await;
    assert!(matches!(view.status, Status::Connected { protocol, .. } if protocol == "2025-06-18"));
}

#[tokio::test]
async fn a_401_without_a_challenge_needs_a_sign_in() {
    let server = FakeService::scripted().await.unwrap();
    server.on_all(Reply::text(401, ""));
    let (_sandbox, engine) = started_at(&server.url()).await;
    until_sign_in_needed(&engine, NeedsSignIn::NeverSignedIn).await;
}

#[tokio::test]
async fn an_outage_at_the_start_is_retried_and_a_403_is_not() {
    let server = old_server(|_| StatusCode::BAD_GATEWAY.into_response()).await;
    let (_sandbox, engine) = started_at(&server.url()).await;
    until(&engine, &id(), is_reconnecting).await;

    let server = FakeService::scripted().await.unwrap();
    server.on_all(Reply::text(403, ""));
    let (_sandbox, engine) = started_at(&server.url()).await;
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(view.last_error.unwrap().code, Code::ProtocolError);
}

#[tokio::test]
async fn a_token_does_not_follow_a_redirect() {
    let canary = FakeService::scripted().await.unwrap();
    canary.on_all(Reply::text(200, ""));
    for status in [301, 302, 303, 307, 308] {
        let server = FakeService::scripted().await.unwrap();
        server.on_all(Reply::redirect(status, &canary.url()));
        let url = server.url();
        let sandbox = Sandbox::new();
        sandbox.write_config(&format!(
            r#"{{ "mcpServers": {{ "demo": {{ "type": "http", "url": "{url}",
                "headers": {{ "Authorization": "Bearer hush" }} }} }} }}"#
        ));
        let engine = sandbox.start().await;
        let view = until(&engine, &id(), has_failed).await;
        let Status::Failed { error } = view.status else { panic!("not failed") };
        assert_eq!(error.code, Code::ProtocolError, "{status}");
        engine.stop().await;
    }
    assert!(canary.requests().is_empty());
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed() {
    let server = old_server(unknown_method).await;
    server.on("POST /mcp", Reply::redirect(308, "/v2"));
    connected_to(&server).await;
}

#[tokio::test]
async fn an_endless_response_is_a_protocol_error() {
    let server = mcp_server(|_| {
        let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
        let chunks = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
        Some(([("content-type", "application/json")], axum::body::Body::from_stream(chunks)).into_response())
    })
    .await;
    let (_sandbox, engine) = started_at(&server.url()).await;
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(view.last_error.unwrap().code, Code::ProtocolError);
}

#[tokio::test]
async fn revisions_of_events_grow_by_one_up_to_the_snapshot() {
    let server = old_server(unknown_method).await;
    let (_sandbox, engine) = started_at(&server.url()).await;
    let mut events = engine.subscribe();
    let mut last = engine.snapshot().revision;
    until(&engine, &id(), is_connected).await;
    engine.disconnect(&id()).await.unwrap();
    until(&engine, &id(), |view| view.status == Status::Disabled).await;
    while let Ok(event) = events.try_recv() {
        let revision = event.revision();
        assert_eq!(revision.0, last.0 + 1);
        last = revision;
    }
    assert_eq!(engine.snapshot().revision, last);
}
