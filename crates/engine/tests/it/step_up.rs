//! Step-up: a call that lacks a scope waits for the person's approval, then continues automatically.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Map;
use tokio::task::JoinHandle;
use usher_api::{Code, ErrorView, Event, NeedsSignIn, PermissionView, ServerView, ToolCallView};
use usher_demo::{DemoOptions, ListFault};
use usher_engine::{CallOptions, Engine, SignInOptions};
use usher_fake_service::Request;

use crate::fixture::*;

/// Responds to every tool call with `insufficient_scope`.
fn reject_for_lack_of_scopes(request: &Request) -> Option<Response> {
    let challenge = r#"Bearer error="insufficient_scope", scope="more""#;
    (request.rpc_method() == "tools/call")
        .then(|| (StatusCode::FORBIDDEN, [("www-authenticate", challenge)]).into_response())
}

/// Options of a demo whose challenge names only the scope for reading.
fn read_only() -> DemoOptions {
    let challenge_scopes = ["openid", "notes:read"].map(String::from).to_vec();
    DemoOptions { challenge_scopes, ..DemoOptions::default() }
}

async fn write(engine: &Engine, options: CallOptions) -> Result<ToolCallView, ErrorView> {
    let page = serde_json::from_str(r#"{ "title": "Tea" }"#).unwrap();
    engine.call_tool(&id(), "create_page", page, options).await
}

/// Runs [`write`] in a task.
fn spawn_write(engine: &Engine, call: &str) -> JoinHandle<Result<ToolCallView, ErrorView>> {
    let (engine, options) = (engine.clone(), CallOptions::new(call));
    tokio::spawn(async move { write(&engine, options).await })
}

/// Runs [`write`] in a task, and returns when the call is waiting for its permission.
async fn waiting_write(engine: &Engine, call: &str) -> JoinHandle<Result<ToolCallView, ErrorView>> {
    let call = spawn_write(engine, call);
    until(engine, &id(), asks_for_permission).await;
    call
}

/// Options of a call that waits at most this long for a permission.
fn with_permission_timeout(permission_timeout: Duration) -> CallOptions {
    CallOptions { permission_timeout, ..CallOptions::new("call") }
}

fn asks_for_permission(view: &ServerView) -> bool {
    view.permission.is_some()
}

fn write_permission() -> PermissionView {
    PermissionView { scopes: vec!["notes:write".to_owned()], tool_title: Some("Create page".to_owned()) }
}

#[tokio::test]
async fn a_call_waits_for_its_permission_and_then_continues() {
    let (_sandbox, demo, engine) = signed_in(read_only()).await;
    let waiting = spawn_write(&engine, "write");
    let view = until(&engine, &id(), asks_for_permission).await;
    assert_eq!(view.permission, Some(write_permission()));
    assert!(is_connected(&view), "still connected: {:?}", view.status);
    assert!(!call(&engine, "search_pages").await.unwrap().is_error);

    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let requested = requested_scopes(&request);
    assert!(requested.contains("notes:read") && requested.contains("notes:write"), "the union: {requested}");
    assert!(asks_for_permission(&engine.server(&id()).unwrap()), "shown until it is granted");
    demo.forget_requests();
    approve(&engine, &request).await.unwrap();
    assert!(!waiting.await.unwrap().unwrap().is_error);
    let view = engine.server(&id()).unwrap();
    assert_eq!((view.permission, view.last_error), (None, None));
    let expected = [
        "GET /authorize 200",
        "POST /authorize 303",
        "POST /token authorization_code 200",
        "POST /mcp tools/list 200",
        "POST /mcp tools/call 200",
    ];
    assert_eq!(requests(&demo), expected, "the same connection serves the call");
}

fn requested_scopes(request: &usher_api::AuthorizationRequestView) -> String {
    let address = url::Url::parse(&request.authorization_url).unwrap();
    let (_, scopes) = address.query_pairs().find(|(name, _)| name == "scope").unwrap();
    scopes.into_owned()
}

#[tokio::test]
async fn a_call_keeps_waiting_when_its_connection_is_replaced() {
    let (_sandbox, _demo, engine) = signed_in(read_only()).await;
    let call = waiting_write(&engine, "write").await;
    let server = id();
    let is_reconnected =
        |event: &Event| matches!(event, Event::ServerChanged { view, .. } if is_connected(view));
    let (_, connect) = tokio::join!(until_event(&engine, is_reconnected), engine.connect(&server));
    connect.unwrap();
    assert_eq!(engine.server(&id()).unwrap().permission, Some(write_permission()));
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert!(requested_scopes(&request).contains("notes:write"), "{}", requested_scopes(&request));
    approve(&engine, &request).await.unwrap();
    assert!(!call.await.unwrap().unwrap().is_error);
}

/// Asserts that the next connection continues the waiting call.
async fn assert_continues(engine: &Engine, call: JoinHandle<Result<ToolCallView, ErrorView>>) {
    let outcome = tokio::time::timeout(TIMEOUT, call).await.expect("the call should continue");
    assert!(!outcome.unwrap().unwrap().is_error);
    assert_eq!(engine.server(&id()).unwrap().permission, None);
}

#[tokio::test]
async fn a_permission_is_used_even_if_the_first_list_after_the_sign_in_fails() {
    let (_sandbox, demo, engine) = signed_in(read_only()).await;
    let call = waiting_write(&engine, "write").await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "allow").await;
    demo.set_list_fault(Some(ListFault::BadGateway));
    engine.complete_sign_in(&callback).await.unwrap_err();
    demo.set_list_fault(None);
    assert_continues(&engine, call).await;
}

#[tokio::test]
async fn a_permission_is_used_even_if_the_secret_store_fails_during_the_sign_in() {
    let (sandbox, _demo, engine) = signed_in(read_only()).await;
    let call = waiting_write(&engine, "write").await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "allow").await;
    // The sign-in is stored in the background. It would replace the damaged file.
    let url = url::Url::parse(&request.authorization_url).unwrap();
    let (_, state) = url.query_pairs().find(|(name, _)| name == "state").unwrap();
    let secrets = || std::fs::read_to_string(sandbox.path("secrets")).unwrap();
    until_true(|| secrets().contains(&*state)).await;
    let stored = secrets();
    std::fs::write(sandbox.path("secrets"), "not secrets").unwrap();
    engine.complete_sign_in(&callback).await.unwrap_err();
    std::fs::write(sandbox.path("secrets"), stored).unwrap();
    engine.connect(&id()).await.unwrap();
    assert_continues(&engine, call).await;
}

#[tokio::test]
async fn several_calls_wait_for_one_permission() {
    let (_sandbox, demo, engine) = signed_in(read_only()).await;
    let calls = [spawn_write(&engine, "one"), spawn_write(&engine, "two"), spawn_write(&engine, "three")];
    let refused = || requests(&demo).iter().filter(|line| line.ends_with("tools/call 403")).count();
    until_true(|| refused() >= 3).await;
    until(&engine, &id(), asks_for_permission).await;
    sign_in(&engine, &id()).await.unwrap();
    for call in calls {
        assert!(!call.await.unwrap().unwrap().is_error);
    }
    assert_eq!(demo.token_requests("authorization_code"), 2);
}

#[tokio::test]
async fn a_declined_permission_fails_the_call() {
    let (_sandbox, _demo, engine) = signed_in(read_only()).await;
    let call = waiting_write(&engine, "write").await;
    engine.decline_permission(&id());
    assert_eq!(call.await.unwrap().unwrap_err().code, Code::InsufficientScope);
    assert!(is_connected(&until(&engine, &id(), |view| !asks_for_permission(view)).await));
    let requested = requested_scopes(&engine.sign_in(&id(), SignInOptions::default()).await.unwrap());
    assert!(!requested.contains("notes:write"), "not requested again: {requested}");
    engine.cancel_sign_in(&id()).await;

    let call = waiting_write(&engine, "write again").await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "deny").await;
    engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(call.await.unwrap().unwrap_err().code, Code::AuthorizationDenied);
    assert!(is_connected(&engine.server(&id()).unwrap()), "the older grant still works");
}

#[tokio::test]
async fn a_wait_for_a_permission_ends_when_the_call_is_dropped_cancelled_or_timed_out() {
    let (_sandbox, _demo, engine) = signed_in(read_only()).await;
    let call = waiting_write(&engine, "dropped").await;
    call.abort();
    until(&engine, &id(), |view| !asks_for_permission(view)).await;

    let call = waiting_write(&engine, "cancelled").await;
    engine.cancel_call("cancelled");
    assert!(call.await.unwrap().unwrap_err().message.contains("cancelled"));
    until(&engine, &id(), |view| !asks_for_permission(view)).await;

    for timeout in [Duration::from_millis(50), Duration::ZERO] {
        let error = write(&engine, with_permission_timeout(timeout)).await.unwrap_err();
        assert_eq!(error.code, Code::InsufficientScope);
    }
    let view = until(&engine, &id(), |view| view.last_error.is_some()).await;
    assert!(is_connected(&view) && !asks_for_permission(&view));
    sign_in(&engine, &id()).await.unwrap();
    assert!(
        !write(&engine, CallOptions::new("after")).await.unwrap().is_error,
        "the sign-in also requests scopes that no call waits for any more"
    );
}

#[tokio::test]
async fn a_server_that_always_asks_for_more_scopes_gets_no_further_sign_in() {
    let server = mcp_server(reject_for_lack_of_scopes).await;
    let (_sandbox, engine) = connected_to(&server).await;
    for _ in 0..3 {
        let options = with_permission_timeout(Duration::ZERO);
        let error = engine.call_tool(&id(), "write", Map::new(), options).await.unwrap_err();
        assert_eq!(error.code, Code::InsufficientScope);
    }
    let error = call(&engine, "write").await.unwrap_err();
    assert_eq!(error.code, Code::ProtocolError, "{error:?}");
    assert!(is_connected(&engine.server(&id()).unwrap()));
}

#[tokio::test]
async fn a_connection_that_lacks_a_permission_names_it() {
    let challenge = r#"Bearer error="insufficient_scope", scope="lists:read""#;
    let server = mcp_server(move |request| {
        (request.rpc_method() == "tools/list")
            .then(|| (StatusCode::FORBIDDEN, [("www-authenticate", challenge)]).into_response())
    })
    .await;
    let (_sandbox, engine) = started_at(&server.url()).await;
    let view = until_sign_in_needed(&engine, NeedsSignIn::InsufficientScope).await;
    let permission = PermissionView { scopes: vec!["lists:read".to_owned()], tool_title: None };
    assert_eq!(view.permission, Some(permission));
}

#[tokio::test]
async fn stopping_the_engine_ends_the_wait_for_a_permission() {
    let (_sandbox, _demo, engine) = signed_in(read_only()).await;
    let call = waiting_write(&engine, "write").await;
    engine.stop().await;
    let outcome = tokio::time::timeout(Duration::from_secs(5), call).await.unwrap();
    outcome.unwrap().unwrap_err();
}
