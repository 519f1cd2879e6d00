//! Connections across a new sign-in, a sleep, a lost session and a lost response.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, json};
use usher_api::{Code, ServerView, Status};
use usher_demo::{DemoOptions, Eras, Guard};
use usher_engine::{CallOptions, Engine};
use usher_fake_service::{Request, result};

use crate::fixture::*;

/// Breaks off the response to a tool call of the first session.
fn broken_call(request: &Request) -> Option<Response> {
    let stream = ([("content-type", "text/event-stream")], "data: {\"jsonrpc\"\n\n");
    (request.rpc_method() == "tools/call" && request.handshakes == 1).then(|| stream.into_response())
}

#[tokio::test]
async fn a_new_sign_in_reuses_the_connection() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let (_sandbox, demo, engine) = signed_in(DemoOptions { eras, ..DemoOptions::default() }).await;
        demo.revoke_everything();
        assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
        until(&engine, &id(), needs_sign_in).await;
        demo.forget_requests();
        sign_in(&engine, &id()).await.unwrap();
        call(&engine, "search_pages").await.unwrap();
        // A subscription may be repeated without a token before the sign-in.
        let is_accepted = |line: &String| line.starts_with("POST /mcp") && !line.ends_with(" 401");
        let sent: Vec<_> = requests(&demo).into_iter().filter(is_accepted).collect();
        assert_eq!(
            sent,
            ["POST /mcp tools/list 200", "POST /mcp tools/call 200"],
            "{eras:?}: no new handshake"
        );
        engine.stop().await;
    }
}

#[tokio::test]
async fn after_a_sleep_a_new_connection_replaces_the_old_one() {
    let (_sandbox, demo, engine) = signed_in(Default::default()).await;
    let since = |engine: &Engine| match engine.server(&id()).unwrap().status {
        Status::Connected { since, .. } => since,
        status => panic!("{status:?}"),
    };
    let before = since(&engine);
    for _ in 0..2 {
        demo.forget_requests();
        let mut log = EventLog::start(&engine);
        engine.reconnect_all();
        until_true(|| requests(&demo).len() >= 2).await;
        assert_eq!(requests(&demo), ["POST /mcp server/discover 200", "POST /mcp tools/list 200"]);
        call(&engine, "search_pages").await.unwrap();
        // The status stayed connected, but the lists may be stale.
        let mut events = Vec::new();
        until_true(|| {
            events.extend(log.lines());
            events.len() >= 2
        })
        .await;
        assert_eq!(events, ["demo resources changed", "demo prompts changed"]);
    }
    assert_eq!(since(&engine), before);
}

#[tokio::test]
async fn a_server_in_backoff_reconnects_at_once_when_the_network_returns() {
    let options = DemoOptions { signing_key: Some([3; 32]), ..DemoOptions::default() };
    let (sandbox, demo, engine) = signed_in(options.clone()).await;
    let port = Some(demo.port());
    demo.stop().await;
    call(&engine, "search_pages").await.unwrap_err();
    // Waits until the next automatic try is at least three seconds away.
    let view =
        until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { attempt: 3.., .. })).await;
    let Status::Reconnecting { next_at, .. } = view.status else { panic!("not reconnecting") };
    let _demo = demo_with(DemoOptions { port, ..options }).await;
    engine.reconnect_all();
    until(&engine, &id(), is_connected).await;
    assert!(sandbox.clock.now() < next_at, "the reconnect did not wait for the backoff");
}

#[tokio::test]
async fn a_lost_session_is_replaced_and_the_call_repeated() {
    let options = DemoOptions { eras: Eras::HandshakeOnly, ..DemoOptions::default() };
    let (_sandbox, demo, engine) = signed_in(options).await;
    demo.forget_sessions().await;
    call(&engine, "search_pages").await.unwrap();
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_session_that_is_rejected_with_a_400_is_replaced_too() {
    let server = mcp_server(|request| {
        let stale = request.handshakes == 1 && request.rpc_method() == "tools/call";
        let error = json!({ "code": -32000, "message": "Bad Request: No valid session ID provided" });
        let body = axum::Json(json!({ "jsonrpc": "2.0", "id": null, "error": error }));
        stale.then(|| (StatusCode::BAD_REQUEST, body).into_response())
    })
    .await;
    let (_sandbox, engine) = connected_to(&server).await;
    assert!(
        !call(&engine, "write").await.unwrap().is_error,
        "a call in a rejected session has not run, so it can be repeated"
    );
    assert_eq!((server.rpc_count("initialize"), server.rpc_count("tools/call")), (2, 2));
}

#[tokio::test]
async fn after_a_lost_response_only_a_read_only_call_is_repeated() {
    let server = mcp_server(broken_call).await;
    let (_sandbox, engine) = connected_to(&server).await;
    let error = call(&engine, "write").await.unwrap_err();
    assert_eq!((error.code, server.rpc_count("tools/call")), (Code::ServerUnreachable, 1), "{error:?}");
    until(&engine, &id(), is_connected).await;

    let server = mcp_server(broken_call).await;
    let (_sandbox, engine) = connected_to(&server).await;
    assert!(!call(&engine, "read").await.unwrap().is_error);
    assert_eq!((server.rpc_count("initialize"), server.rpc_count("tools/call")), (2, 2));
}

#[tokio::test]
async fn a_401_for_a_call_needs_a_sign_in_although_lists_are_public() {
    let options = DemoOptions { guard: Guard::ToolCallsOnly, ..DemoOptions::default() };
    let (_sandbox, _demo, engine) = started(options).await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
    until(&engine, &id(), ServerView::is_connected_without_sign_in).await;
    sign_in(&engine, &id()).await.unwrap();
    assert!(!call(&engine, "search_pages").await.unwrap().is_error);
}

#[tokio::test]
async fn a_401_in_a_result_refreshes_once_and_then_offers_a_sign_in() {
    let options = DemoOptions { guard: Guard::UnauthorizedInResult, ..DemoOptions::default() };
    let (_sandbox, demo, engine) = started(options).await;
    until(&engine, &id(), is_connected).await;

    // Without a sign-in, the result is returned and a sign-in is offered; the server stays connected.
    assert!(call(&engine, "search_pages").await.unwrap().is_error);
    let view = until(&engine, &id(), |view| view.last_error.is_some()).await;
    assert!(is_connected(&view));
    assert_eq!(view.last_error.unwrap().code, Code::SignInRequired);
    sign_in(&engine, &id()).await.unwrap();
    assert!(!call(&engine, "search_pages").await.unwrap().is_error);

    // A rejected token is refreshed once, and a read-only call is repeated.
    demo.revoke_access_tokens();
    assert!(!call(&engine, "search_pages").await.unwrap().is_error);
    assert_eq!(demo.token_requests("refresh_token"), 1);
    assert_eq!(engine.server(&id()).unwrap().last_error, None);

    // A call that writes is not repeated, but the next one has a valid token.
    demo.revoke_access_tokens();
    let page: Map<_, _> = serde_json::from_str(r#"{ "title": "Tea" }"#).unwrap();
    let server_id = id();
    let write = |call| engine.call_tool(&server_id, "create_page", page.clone(), CallOptions::new(call));
    assert!(write("first").await.unwrap().is_error);
    assert!(!write("second").await.unwrap().is_error);
    assert_eq!(demo.token_requests("refresh_token"), 2);

    // The whole grant is revoked.
    demo.revoke_everything();
    assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
    until(&engine, &id(), needs_sign_in).await;
}

#[tokio::test]
async fn a_401_of_another_service_in_a_result_does_not_end_the_connection() {
    let pages = AtomicUsize::new(0);
    let server = mcp_server(move |request| {
        let content = json!([{ "type": "text", "text": "The page answered 401 Unauthorized." }]);
        let is_first = request.rpc_method() == "tools/call" && pages.fetch_add(1, Ordering::Relaxed) == 0;
        is_first.then(|| result(request, json!({ "content": content, "isError": true })))
    })
    .await;
    let (_sandbox, engine) = connected_to(&server).await;
    assert!(call(&engine, "read").await.unwrap().is_error);
    assert!(is_connected(&until(&engine, &id(), |view| view.last_error.is_some()).await));
    assert_eq!(server.rpc_count("tools/call"), 1);
    assert!(!call(&engine, "read").await.unwrap().is_error);
    until(&engine, &id(), |view| view.last_error.is_none()).await;
}
