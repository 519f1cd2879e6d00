//! Requests, their results, and their cancellation.

use serde_json::json;
use usher_fake_service::{FakeService, Options};
use usher_gateway::Gateway;

use crate::fixture::{Client, Sandbox, TIMEOUT, modern};

#[tokio::test]
async fn a_result_reaches_the_client_as_the_server_sent_it() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    const TEXT: &str =
        r#"{"z":1.10,"content":[{"type":"new","a":12345678901234567890123}],"_meta":{"b":1e2,"a":null}}"#;
    service.intercept(|request| {
        let response = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{TEXT}}}"#, request.json()["id"]);
        let is_call = request.json()["method"] == "tools/call";
        is_call.then(|| {
            axum::response::IntoResponse::into_response(([("content-type", "application/json")], response))
        })
    });
    let sandbox = Sandbox::new(&[("notes", &service.url())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    client.send(r#"{"jsonrpc":"2.0","id":"\u0061","method":"tools/call","params":{"name":"read"}}"#).await;
    assert_eq!(client.line().await, format!(r#"{{"jsonrpc":"2.0","id":"\u0061","result":{TEXT}}}"#));
    engine.stop().await;
}

#[tokio::test]
async fn an_error_of_the_server_keeps_its_code_and_data() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    service.intercept(|request| {
        let error = json!({ "code": -32050, "message": "no\u{1b}", "data": { "b": 1, "a": [2] } });
        let is_call = request.json()["method"] == "tools/call";
        let response = json!({ "jsonrpc": "2.0", "id": request.json()["id"], "error": error });
        is_call.then(|| axum::response::IntoResponse::into_response(axum::Json(response)))
    });
    let sandbox = Sandbox::new(&[("notes", &service.url())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    let response = client.call("read").await;
    assert_eq!(
        response["error"],
        json!({ "code": -32050, "message": "no\u{1b}", "data": { "b": 1, "a": [2] } })
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_cancelled_call_gets_no_response_and_other_calls_go_on() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    let sandbox = Sandbox::new(&[("notes", &service.url())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    let waiting = client.begin("tools/call", json!({ "name": "wait" })).await;
    assert_eq!(client.call("read").await["result"]["content"][0]["text"], "done");
    client.notify("notifications/cancelled", json!({ "requestId": waiting })).await;
    let cancelled = async {
        while !service.requests().iter().any(|request| request.json()["method"] == "notifications/cancelled")
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, cancelled).await.expect("the server is informed");
    assert_eq!(client.call("read").await["result"]["content"][0]["text"], "done", "the next message");
    engine.stop().await;
}

#[tokio::test]
async fn a_client_may_use_both_eras_and_send_anything() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    let sandbox = Sandbox::new(&[("notes", &service.url())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    client.send("no JSON").await;
    assert_eq!(client.message().await["error"]["code"], -32700);
    let discovered = client.ask("server/discover", json!({})).await;
    assert_eq!(discovered["result"]["supportedVersions"][0], "2026-07-28");
    let called = client.ask("tools/call", modern(json!({ "name": "read" }))).await;
    assert_eq!(called["result"]["resultType"], "complete");
    let listed = client.ask("tools/list", modern(json!({}))).await;
    assert_eq!(listed["result"]["cacheScope"], "private");
    assert_eq!(client.ask("ping", modern(json!({}))).await["error"]["code"], -32601);
    assert_eq!(client.initialize().await["protocolVersion"], "2025-06-18");
    assert_eq!(client.ask("ping", json!({})).await["result"], json!({}));
    assert_eq!(
        client.ask("tools/list", json!({})).await["result"].as_object().map(|result| result.len()),
        Some(1)
    );
    let missing = client.ask("tools/call", json!({})).await;
    assert_eq!(missing["error"]["code"], -32602);
    engine.stop().await;
}

#[tokio::test]
async fn progress_has_the_token_of_the_client() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    service.intercept(|request| {
        if request.json()["method"] != "tools/call" {
            return None;
        }
        let token = request.json()["params"]["_meta"]["progressToken"].clone();
        let progress = format!(
            r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progress":1.50,"progressToken":{token},"new":[1]}}}}"#
        );
        let result = json!({ "jsonrpc": "2.0", "id": request.json()["id"], "result": { "content": [] } });
        let events = format!("data: {progress}\n\ndata: {result}\n\n");
        Some(axum::response::IntoResponse::into_response(([("content-type", "text/event-stream")], events)))
    });
    let sandbox = Sandbox::new(&[("notes", &service.url())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut clients = [
        Client::connect(&gateway, &engine, "notes").await,
        Client::connect(&gateway, &engine, "notes").await,
    ];
    for client in &mut clients {
        client.begin("tools/call", json!({ "name": "read", "_meta": { "progressToken": "same" } })).await;
    }
    for client in &mut clients {
        let line = client.line().await;
        assert!(line.contains(r#""params":{"progress":1.50,"progressToken":"same","new":[1]}"#), "{line}");
        assert_eq!(client.message().await["id"], 1);
    }
    engine.stop().await;
}
