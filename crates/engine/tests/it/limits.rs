//! Servers that send more than Usher accepts.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use usher_api::{Code, ErrorView, Status};
use usher_engine::{CallOptions, Engine};
use usher_fake_service::{FakeService, Options, Reply, Request, result};

use crate::fixture::*;

/// A call to a server that sends messages of its own before the result.
struct Called {
    engine: Engine,
    outcome: Result<(), ErrorView>,
    /// Our answers to the server's requests. The server receives them, but never accepts them.
    answers: mpsc::UnboundedReceiver<Value>,
    _service: FakeService,
    _sandbox: Sandbox,
}

async fn call_with(messages: Vec<Value>) -> Called {
    let (answered, answers) = mpsc::unbounded_channel();
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    service.intercept(move |request| match request.rpc_method().as_str() {
        "tools/call" => Some(stream(request, &messages)),
        "" if request.json().get("id").is_some() => {
            let _ = answered.send(request.json());
            Some(Reply::silent().into_response())
        }
        _ => None,
    });
    let (sandbox, engine) = started_at(&service.url()).await;
    until(&engine, &id(), is_connected).await;
    let outcome = engine.call_tool(&id(), "read", Map::new(), CallOptions::new("call")).await.map(drop);
    Called { engine, outcome, answers, _service: service, _sandbox: sandbox }
}

fn stream(request: &Request, messages: &[Value]) -> Response {
    let done = json!({ "content": [{ "type": "text", "text": "done" }] });
    let done = json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": done });
    let events: String =
        messages.iter().chain([&done]).map(|message| format!("data: {message}\n\n")).collect();
    Reply::new(200, "text/event-stream", events).into_response()
}

fn request_of(id: impl Into<Value>, method: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": { "messages": [], "maxTokens": 1 } })
}

#[tokio::test]
async fn a_server_with_too_many_open_requests_is_disconnected() {
    for method in ["sampling/createMessage", "roots/list", "ping", "x/unknown"] {
        let requests = (0..100).map(|id| request_of(id, method)).collect();
        let called = call_with(requests).await;
        let error = called.outcome.expect_err(method);
        assert_eq!(error.code, Code::ProtocolError, "{method}");
        assert!(error.message.contains("more than 16 requests at once"), "{}", error.message);
        let view = until(&called.engine, &id(), has_failed).await;
        let Status::Failed { error } = view.status else { panic!("not failed") };
        assert!(error.message.contains("Usher disconnected"), "{}", error.message);
        called.engine.stop().await;
    }
}

#[tokio::test]
async fn sixteen_open_requests_are_accepted() {
    let called = call_with((0..16).map(|id| request_of(id, "ping")).collect()).await;
    called.outcome.unwrap();
    called.engine.stop().await;
}

/// A server that withdraws its requests may send any number of them.
#[tokio::test]
async fn withdrawn_requests_do_not_count() {
    let messages = (0..100).flat_map(|id| {
        let params = json!({ "requestId": id, "reason": "no longer needed" });
        let cancelled = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
        [request_of(id, "ping"), cancelled]
    });
    let called = call_with(messages.collect()).await;
    called.outcome.unwrap();
    called.engine.stop().await;
}

#[tokio::test]
async fn a_server_with_a_long_request_id_is_disconnected() {
    let called = call_with(vec![request_of("x".repeat(300), "ping")]).await;
    let error = called.outcome.unwrap_err();
    assert!(error.message.contains("the id of its request has more than 256 bytes"), "{}", error.message);
    until(&called.engine, &id(), has_failed).await;
    called.engine.stop().await;
}

/// A request with large parameters is refused with an error, and a large notification is ignored.
#[tokio::test]
async fn large_requests_are_refused_and_large_notifications_ignored() {
    let large = json!({ "text": "x".repeat(100_000) });
    let request =
        json!({ "jsonrpc": "2.0", "id": "large", "method": "sampling/createMessage", "params": large });
    let notification = json!({ "jsonrpc": "2.0", "method": "notifications/message", "params": large });
    let mut called = call_with(vec![request, notification]).await;
    called.outcome.unwrap();
    let answer = tokio::time::timeout(TIMEOUT, called.answers.recv()).await.unwrap().unwrap();
    assert_eq!(answer["id"], "large");
    assert!(answer["error"].is_object(), "{answer}");
    called.engine.stop().await;
}

#[tokio::test]
async fn an_event_above_the_limit_disconnects_the_server() {
    let notification = json!({ "jsonrpc": "2.0", "method": "x", "params": "x".repeat(11 << 20) });
    let called = call_with(vec![notification]).await;
    let error = called.outcome.unwrap_err();
    assert!(error.message.contains("an event of more than 10485760 bytes"), "{}", error.message);
    called.engine.stop().await;
}

/// Five megabytes are the largest known results.
#[tokio::test]
async fn a_result_of_five_megabytes_arrives_whole() {
    for as_stream in [false, true] {
        let service = FakeService::start(Options::open_handshake()).await.unwrap();
        service.intercept(move |request| {
            let text = json!({ "content": [{ "type": "text", "text": "ä\n".repeat(5 << 18) }] });
            let message = json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": text });
            (request.rpc_method() == "tools/call").then(|| match as_stream {
                true => Reply::new(200, "text/event-stream", format!("data: {message}\n\n")).into_response(),
                false => result(request, text),
            })
        });
        let (_sandbox, engine) = started_at(&service.url()).await;
        until(&engine, &id(), is_connected).await;
        let called = engine.call_tool(&id(), "read", Map::new(), CallOptions::new("call")).await.unwrap();
        let usher_api::ToolContent::Text { text } = &called.content[0] else { panic!("{as_stream}") };
        assert_eq!(text.len(), 3 * (5 << 18), "{as_stream}");
        engine.stop().await;
    }
}

/// The list on a page.
type ListOf = fn(u64) -> Value;

/// A list whose pages together are too large, or that has too many items, is refused. The error names the limit.
#[tokio::test]
async fn a_list_above_the_limits_is_refused() {
    let lists: [(ListOf, &str); 4] = [
        (
            |page| json!({ "tools": [{ "name": format!("{page}{}", "x".repeat(3 << 20)) }], "nextCursor": page.to_string() }),
            "10485760 bytes",
        ),
        (
            |page| json!({ "tools": [page], "pad": "x".repeat(3 << 20), "nextCursor": page.to_string() }),
            "10485760 bytes",
        ),
        (|_| json!({ "tools": vec![0; 60_001] }), "60000 items"),
        (|_| json!({ "tools": { "name": "x" } }), "60000 items"),
    ];
    for (list, limit) in lists {
        let service = FakeService::start(Options::open_handshake()).await.unwrap();
        let page = Arc::new(std::sync::atomic::AtomicU64::new(0));
        service.intercept(move |request| {
            (request.rpc_method() == "tools/list")
                .then(|| result(request, list(page.fetch_add(1, std::sync::atomic::Ordering::Relaxed))))
        });
        let (_sandbox, engine) = started_at(&service.url()).await;
        let view = until(&engine, &id(), has_failed).await;
        let error = view.last_error.unwrap();
        assert!(error.message.contains(limit), "{}", error.message);
        engine.stop().await;
    }
}

/// A tool with a huge or deep schema is shown, but cannot be used.
#[tokio::test]
async fn a_tool_above_the_limits_cannot_be_used() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    service.intercept(|request| {
        let deep = |levels: usize| format!("{}{}", r#"{"a":"#.repeat(levels) + "1", "}".repeat(levels));
        let tools = format!(
            r#"[{{"name": "large", "inputSchema": {{"a": "{}"}}}}, {{"name": "deep", "inputSchema": {}}},
                {{"name": "result", "inputSchema": {{}}, "outputSchema": {}}}, {{"name": "good", "inputSchema": {}}}]"#,
            "x".repeat(600_000), deep(20_000), deep(101), deep(20),
        );
        let id = &request.json()["id"];
        let body = format!(r#"{{"jsonrpc": "2.0", "id": {id}, "result": {{"tools": {tools}}}}}"#);
        (request.rpc_method() == "tools/list").then(|| Reply::new(200, "application/json", body).into_response())
    });
    let (_sandbox, engine) = started_at(&service.url()).await;
    until(&engine, &id(), is_connected).await;
    let tools = engine.tools(&id()).await.unwrap();
    let broken: Vec<_> = tools.iter().map(|tool| (tool.name.as_str(), tool.broken.is_some())).collect();
    assert_eq!(broken, [("large", true), ("deep", true), ("result", true), ("good", false)]);
    engine.stop().await;
}
