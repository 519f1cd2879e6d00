//! Servers as they are met in the wild: old ones, half-right ones, and those that want our token elsewhere.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use usher_api::{Code, NeedsSignIn, Status};
use usher_engine::Engine;

use crate::fixture::*;

/// What the server says to `server/discover`.
#[derive(Clone)]
enum Discovery {
    EmptyResult,
    OlderVersions,
    UnsupportedVersion,
    MethodNotFound,
    PlainText(StatusCode),
    Answer(fn() -> Response),
}

#[derive(Clone)]
struct Old {
    discovery: Discovery,
    seen: Arc<Mutex<Vec<String>>>,
}

async fn old_server(discovery: Discovery) -> (String, Arc<Mutex<Vec<String>>>) {
    let old = Old { discovery, seen: Arc::default() };
    let seen = Arc::clone(&old.seen);
    let router = Router::new().fallback(answer).with_state(old);
    (serve(router).await, seen)
}

async fn serve(router: Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn answer(State(old): State<Old>, body: String) -> Response {
    let message: Value = serde_json::from_str(&body).unwrap_or_default();
    let method = message["method"].as_str().unwrap_or_default().to_owned();
    old.seen.lock().unwrap().push(method.clone());
    let result = |result: Value| {
        Json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result })).into_response()
    };
    let error = |code: i32, data: Value| {
        let error = json!({ "code": code, "message": "no", "data": data });
        Json(json!({ "jsonrpc": "2.0", "id": message["id"], "error": error })).into_response()
    };
    match method.as_str() {
        "server/discover" => match old.discovery {
            Discovery::EmptyResult => result(json!({})),
            Discovery::OlderVersions => result(json!({
                "resultType": "complete", "supportedVersions": ["2025-06-18"], "capabilities": {},
                "ttlMs": 0, "cacheScope": "private",
            })),
            Discovery::UnsupportedVersion => error(-32022, json!({ "supported": ["2025-06-18"] })),
            Discovery::MethodNotFound => error(-32601, Value::Null),
            Discovery::PlainText(status) => (status, "what?").into_response(),
            Discovery::Answer(answer) => answer(),
        },
        "initialize" => result(json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} },
            "serverInfo": { "name": "old", "title": "Old but \u{202e}good", "version": "1" },
        })),
        "notifications/initialized" => StatusCode::ACCEPTED.into_response(),
        "tools/list" => result(json!({ "tools": [{ "name": "t", "inputSchema": { "type": "object" } }] })),
        _ => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn engine_at(place: &Place, url: &str) -> Engine {
    place.write_config(&config(&[("demo", url)]));
    place.start().await
}

#[tokio::test]
async fn every_old_way_of_not_knowing_discovery_leads_to_initialize() {
    let ways = [
        Discovery::EmptyResult,
        Discovery::OlderVersions,
        Discovery::UnsupportedVersion,
        Discovery::MethodNotFound,
        Discovery::PlainText(StatusCode::BAD_REQUEST),
        Discovery::PlainText(StatusCode::NOT_FOUND),
        Discovery::PlainText(StatusCode::METHOD_NOT_ALLOWED),
    ];
    for way in ways {
        let (place, (url, seen)) = (Place::new(), old_server(way).await);
        let engine = engine_at(&place, &url).await;
        let view = until(&engine, &id(), is_connected).await;
        let Status::Connected { protocol, tool_count, .. } = view.status else { panic!("connected") };
        assert_eq!((protocol.as_str(), tool_count), ("2025-06-18", 1));
        assert_eq!(view.name, "Old but good");
        let seen = seen.lock().unwrap().clone();
        assert_eq!(seen, ["server/discover", "initialize", "notifications/initialized", "tools/list"]);
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_server_that_never_answers_discovery_is_spoken_to_as_an_old_one() {
    let old = Old { discovery: Discovery::MethodNotFound, seen: Arc::default() };
    let silent = |State(old): State<Old>, body: String| async move {
        if body.contains("server/discover") {
            return std::future::pending().await;
        }
        answer(State(old), body).await
    };
    let url = serve(Router::new().fallback(silent).with_state(old)).await;
    let place = Place::new();
    let engine = engine_at(&place, &url).await;
    let view = until(&engine, &id(), is_connected).await;
    assert!(matches!(view.status, Status::Connected { protocol, .. } if protocol == "2025-06-18"));
    engine.stop().await;
}

#[tokio::test]
async fn a_401_without_a_challenge_asks_for_a_sign_in() {
    let bare = || StatusCode::UNAUTHORIZED.into_response();
    let (place, (url, _)) = (Place::new(), old_server(Discovery::Answer(bare)).await);
    let engine = engine_at(&place, &url).await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    engine.stop().await;
}

#[tokio::test]
async fn an_outage_at_the_start_is_tried_again_and_a_refusal_is_not() {
    let outage = || StatusCode::BAD_GATEWAY.into_response();
    let (place, (url, _)) = (Place::new(), old_server(Discovery::Answer(outage)).await);
    let engine = engine_at(&place, &url).await;
    until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { .. })).await;
    engine.stop().await;

    let refusal = || StatusCode::FORBIDDEN.into_response();
    let (place, (url, _)) = (Place::new(), old_server(Discovery::Answer(refusal)).await);
    let engine = engine_at(&place, &url).await;
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    assert_eq!(view.last_error.unwrap().code, Code::ProtocolError);
    engine.stop().await;
}

#[tokio::test]
async fn a_token_does_not_travel_with_a_redirect() {
    let canary: Arc<Mutex<Vec<HeaderMap>>> = Arc::default();
    let caught = Arc::clone(&canary);
    let elsewhere = serve(Router::new().fallback(move |headers: HeaderMap| {
        caught.lock().unwrap().push(headers);
        async { StatusCode::OK }
    }))
    .await;
    for status in [301, 302, 303, 307, 308] {
        let location = elsewhere.clone();
        let status = StatusCode::from_u16(status).unwrap();
        let url =
            serve(Router::new().fallback(move || async move { (status, [("location", location)]) })).await;
        let place = Place::new();
        place.write_config(&format!(
            r#"{{ "mcpServers": {{ "demo": {{ "type": "http", "url": "{url}",
                "headers": {{ "Authorization": "Bearer hush" }} }} }} }}"#
        ));
        let engine = place.start().await;
        let view = until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
        let Status::Failed { error } = view.status else { panic!("failed") };
        assert_eq!(error.code, Code::ProtocolError, "{status}");
        engine.stop().await;
    }
    assert!(canary.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_redirect_within_the_origin_is_followed() {
    let old = Old { discovery: Discovery::MethodNotFound, seen: Arc::default() };
    let moved = || async { (StatusCode::PERMANENT_REDIRECT, [("location", "/v2")]) };
    let router = Router::new().route("/mcp", axum::routing::any(moved)).fallback(answer).with_state(old);
    let (place, url) = (Place::new(), serve(router).await);
    let engine = engine_at(&place, &url).await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = || {
        let chunk = axum::body::Bytes::from(vec![b' '; 1 << 20]);
        let chunks = futures::stream::repeat_with(move || Ok::<_, std::io::Error>(chunk.clone()));
        ([("content-type", "application/json")], axum::body::Body::from_stream(chunks)).into_response()
    };
    let (place, (url, _)) = (Place::new(), old_server(Discovery::Answer(endless)).await);
    let engine = engine_at(&place, &url).await;
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    assert_eq!(view.last_error.unwrap().code, Code::ProtocolError);
    engine.stop().await;
}

#[tokio::test]
async fn revisions_of_events_only_grow_and_meet_the_snapshot() {
    let (place, (url, _)) = (Place::new(), old_server(Discovery::MethodNotFound).await);
    let engine = engine_at(&place, &url).await;
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
