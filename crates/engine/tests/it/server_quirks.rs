//! Servers that are old, only partly correct, or redirect elsewhere.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use usher_api::{Code, NeedsSignIn, Status};
use usher_engine::Engine;
use usher_fake_service::{FakeService, Options, Reply, Request, result};

use crate::fixture::*;

/// The response of an old server to `server/discover`.
#[derive(Clone, Copy)]
enum Discovery {
    EmptyResult,
    OlderVersions,
    UnsupportedVersion,
    MethodNotFound,
    PlainText(u16),
    Response(fn() -> Response),
}

impl Discovery {
    fn response(self, request: &Request) -> Response {
        let error = |code: i32, data: Value| {
            let error = json!({ "code": code, "message": "no", "data": data });
            Reply::json(json!({ "jsonrpc": "2.0", "id": request.json()["id"], "error": error }))
                .into_response()
        };
        match self {
            Self::EmptyResult => result(request, json!({})),
            Self::OlderVersions => result(
                request,
                json!({
                    "resultType": "complete", "supportedVersions": ["2025-06-18"], "capabilities": {},
                    "ttlMs": 0, "cacheScope": "private",
                }),
            ),
            Self::UnsupportedVersion => error(-32022, json!({ "supported": ["2025-06-18"] })),
            Self::MethodNotFound => error(-32601, Value::Null),
            Self::PlainText(status) => Reply::text(status, "what?").into_response(),
            Self::Response(response) => response(),
        }
    }
}

/// A server without sign-in that speaks only 2025-06-18 and has one tool.
async fn old_server(discovery: Discovery) -> FakeService {
    let server = FakeService::start(Options::open_handshake()).await.unwrap();
    server.intercept(move |request| old_response(discovery, request));
    server
}

fn old_response(discovery: Discovery, request: &Request) -> Option<Response> {
    match request.rpc_method().as_str() {
        "server/discover" => Some(discovery.response(request)),
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
    }
}

async fn engine_at(sandbox: &Sandbox, server: &FakeService) -> Engine {
    sandbox.write_config(&config(&[("demo", &server.url())]));
    sandbox.start().await
}

#[tokio::test]
async fn every_server_without_discovery_gets_initialize() {
    let responses = [
        Discovery::EmptyResult,
        Discovery::OlderVersions,
        Discovery::UnsupportedVersion,
        Discovery::MethodNotFound,
        Discovery::PlainText(400),
        Discovery::PlainText(404),
        Discovery::PlainText(405),
    ];
    for discovery in responses {
        let (sandbox, server) = (Sandbox::new(), old_server(discovery).await);
        let engine = engine_at(&sandbox, &server).await;
        let view = until(&engine, &id(), is_connected).await;
        let Status::Connected { protocol, tool_count, .. } = view.status else { panic!("not connected") };
        assert_eq!((protocol.as_str(), tool_count), ("2025-06-18", 1));
        assert_eq!(view.name, "Old but good");
        let methods = server.rpc_methods();
        assert_eq!(methods, ["server/discover", "initialize", "notifications/initialized", "tools/list"]);
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_never_responds_to_discovery_gets_initialize() {
    let server = old_server(Discovery::MethodNotFound).await;
    server.intercept(|request| match request.rpc_method().as_str() {
        "server/discover" => Some(Reply::silent().into_response()),
        _ => old_response(Discovery::MethodNotFound, request),
    });
    let sandbox = Sandbox::new();
    let engine = engine_at(&sandbox, &server).await;
    let view = until(&engine, &id(), is_connected).await;
    assert!(matches!(view.status, Status::Connected { protocol, .. } if protocol == "2025-06-18"));
    engine.stop().await;
}

#[tokio::test]
async fn a_401_without_a_challenge_needs_a_sign_in() {
    let bare = || StatusCode::UNAUTHORIZED.into_response();
    let (sandbox, server) = (Sandbox::new(), old_server(Discovery::Response(bare)).await);
    let engine = engine_at(&sandbox, &server).await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    engine.stop().await;
}

#[tokio::test]
async fn an_outage_at_the_start_is_retried_and_a_403_is_not() {
    let outage = || StatusCode::BAD_GATEWAY.into_response();
    let (sandbox, server) = (Sandbox::new(), old_server(Discovery::Response(outage)).await);
    let engine = engine_at(&sandbox, &server).await;
    until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { .. })).await;
    engine.stop().await;

    let forbidden = || StatusCode::FORBIDDEN.into_response();
    let (sandbox, server) = (Sandbox::new(), old_server(Discovery::Response(forbidden)).await);
    let engine = engine_at(&sandbox, &server).await;
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(view.last_error.unwrap().code, Code::ProtocolError);
    engine.stop().await;
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
    let server = old_server(Discovery::MethodNotFound).await;
    server.on("POST /mcp", Reply::redirect(308, "/v2"));
    let sandbox = Sandbox::new();
    let engine = engine_at(&sandbox, &server).await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn an_endless_response_is_a_protocol_error() {
    let endless = || {
        let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
        let chunks = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
        ([("content-type", "application/json")], axum::body::Body::from_stream(chunks)).into_response()
    };
    let (sandbox, server) = (Sandbox::new(), old_server(Discovery::Response(endless)).await);
    let engine = engine_at(&sandbox, &server).await;
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(view.last_error.unwrap().code, Code::ProtocolError);
    engine.stop().await;
}

#[tokio::test]
async fn revisions_of_events_grow_by_one_up_to_the_snapshot() {
    let (sandbox, server) = (Sandbox::new(), old_server(Discovery::MethodNotFound).await);
    let engine = engine_at(&sandbox, &server).await;
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
    engine.stop().await;
}
