//! Step-up: a call that lacks a scope waits for the person's approval, then continues automatically.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};
use usher_api::{Code, ErrorView, Event, NeedsSignIn, PermissionView, ServerView, Status, ToolCallView};
use usher_demo::{Demo, DemoOptions, ListFault};
use usher_engine::{CallOptions, Engine, SignInOptions};
use usher_fake_service::Request;

use crate::fixture::*;

/// Responds to every tool call with `insufficient_scope`.
fn reject_for_lack_of_scopes(request: &Request) -> Option<Response> {
    let challenge = r#"Bearer error="insufficient_scope", scope="more""#;
    (request.rpc_method() == "tools/call")
        .then(|| (StatusCode::FORBIDDEN, [("www-authenticate", challenge)]).into_response())
}

/// A demo whose challenge names only the scope for reading.
async fn read_only_demo() -> Demo {
    let scopes = ["openid", "notes:read"].map(String::from).to_vec();
    Demo::start(DemoOptions { challenge_scopes: scopes, ..DemoOptions::default() }).await.unwrap()
}

fn arguments(json: &str) -> Map<String, Value> {
    serde_json::from_str(json).unwrap()
}

async fn write(engine: &Engine, call: &str) -> Result<ToolCallView, ErrorView> {
    let page = arguments(r#"{ "title": "Tea" }"#);
    engine.call_tool(&id(), "create_page", page, CallOptions::new(call)).await
}

/// Runs [`write`] in a task.
fn spawn_write(
    engine: &Engine,
    call: &'static str,
) -> tokio::task::JoinHandle<Result<ToolCallView, ErrorView>> {
    let engine = engine.clone();
    tokio::spawn(async move { write(&engine, call).await })
}

fn asks_for_permission(view: &ServerView) -> bool {
    view.permission.is_some()
}

fn write_permission() -> PermissionView {
    PermissionView { scopes: vec!["notes:write".to_owned()], for_what: Some("Create page".to_owned()) }
}

#[tokio::test]
async fn a_call_waits_for_its_permission_and_then_continues() {
    let (sandbox, demo) = (Sandbox::new(), read_only_demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let call = spawn_write(&engine, "write");
    let view = until(&engine, &id(), asks_for_permission).await;
    assert_eq!(view.permission, Some(write_permission()));
    assert!(is_connected(&view), "still connected: {:?}", view.status);
    let search = engine.call_tool(&id(), "search_pages", Map::new(), CallOptions::new("search")).await;
    assert!(!search.unwrap().is_error);

    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let requested = url::Url::parse(&request.authorization_url).unwrap();
    let (_, requested) = requested.query_pairs().find(|(name, _)| name == "scope").unwrap();
    assert!(requested.contains("notes:read") && requested.contains("notes:write"), "the union: {requested}");
    assert!(asks_for_permission(&engine.server(&id()).unwrap()), "shown until it is granted");
    demo.forget_requests();
    let callback = decide(&request, "allow").await;
    engine.complete_sign_in(&callback).await.unwrap();
    assert!(!call.await.unwrap().unwrap().is_error);
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
    engine.stop().await;
}

fn requested_scopes(request: &usher_api::AuthorizationRequestView) -> String {
    let address = url::Url::parse(&request.authorization_url).unwrap();
    let (_, scopes) = address.query_pairs().find(|(name, _)| name == "scope").unwrap();
    scopes.into_owned()
}

#[tokio::test]
async fn a_call_keeps_waiting_when_its_connection_is_replaced() {
    let (sandbox, demo) = (Sandbox::new(), read_only_demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let call = spawn_write(&engine, "write");
    until(&engine, &id(), asks_for_permission).await;
    let mut events = engine.subscribe();
    engine.connect(&id()).await.unwrap();
    let reconnected = async {
        loop {
            if let Event::ServerChanged { view, .. } = events.recv().await.unwrap()
                && is_connected(&view)
            {
                return;
            }
        }
    };
    tokio::time::timeout(TIMEOUT, reconnected).await.unwrap();
    assert_eq!(engine.server(&id()).unwrap().permission, Some(write_permission()));
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert!(requested_scopes(&request).contains("notes:write"), "{}", requested_scopes(&request));
    let callback = decide(&request, "allow").await;
    engine.complete_sign_in(&callback).await.unwrap();
    assert!(!call.await.unwrap().unwrap().is_error);
    engine.stop().await;
}

#[tokio::test]
async fn a_permission_is_used_even_if_the_first_list_after_the_sign_in_fails() {
    let (sandbox, demo) = (Sandbox::new(), read_only_demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let call = spawn_write(&engine, "write");
    until(&engine, &id(), asks_for_permission).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "allow").await;
    demo.set_list_fault(Some(ListFault::BadGateway));
    engine.complete_sign_in(&callback).await.unwrap_err();
    demo.set_list_fault(None);
    let outcome = tokio::time::timeout(TIMEOUT, call).await.expect("the next connection continues the call");
    assert!(!outcome.unwrap().unwrap().is_error);
    assert_eq!(engine.server(&id()).unwrap().permission, None);
    engine.stop().await;
}

#[tokio::test]
async fn several_calls_wait_for_one_permission() {
    let (sandbox, demo) = (Sandbox::new(), read_only_demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let calls = [spawn_write(&engine, "one"), spawn_write(&engine, "two"), spawn_write(&engine, "three")];
    let refused = || requests(&demo).iter().filter(|line| line.ends_with("tools/call 403")).count();
    tokio::time::timeout(TIMEOUT, async {
        while refused() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    until(&engine, &id(), asks_for_permission).await;
    sign_in(&engine, &id()).await.unwrap();
    for call in calls {
        assert!(!call.await.unwrap().unwrap().is_error);
    }
    assert_eq!(demo.token_requests("authorization_code"), 2);
    engine.stop().await;
}

#[tokio::test]
async fn a_declined_permission_fails_the_call() {
    let (sandbox, demo) = (Sandbox::new(), read_only_demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let call = spawn_write(&engine, "write");
    until(&engine, &id(), asks_for_permission).await;
    engine.decline_permission(&id());
    assert_eq!(call.await.unwrap().unwrap_err().code, Code::InsufficientScope);
    assert!(is_connected(&until(&engine, &id(), |view| !asks_for_permission(view)).await));
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert!(
        !requested_scopes(&request).contains("notes:write"),
        "not requested again: {}",
        requested_scopes(&request)
    );
    engine.cancel_sign_in(&id()).await;

    let call = spawn_write(&engine, "write again");
    until(&engine, &id(), asks_for_permission).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "deny").await;
    engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(call.await.unwrap().unwrap_err().code, Code::AuthorizationDenied);
    assert!(is_connected(&engine.server(&id()).unwrap()), "the older grant still works");
    engine.stop().await;
}

#[tokio::test]
async fn a_wait_for_a_permission_ends_when_the_call_is_dropped_cancelled_or_timed_out() {
    let (sandbox, demo) = (Sandbox::new(), read_only_demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let call = spawn_write(&engine, "dropped");
    until(&engine, &id(), asks_for_permission).await;
    call.abort();
    until(&engine, &id(), |view| !asks_for_permission(view)).await;

    let call = spawn_write(&engine, "cancelled");
    until(&engine, &id(), asks_for_permission).await;
    engine.cancel_call("cancelled");
    assert!(call.await.unwrap().unwrap_err().message.contains("cancelled"));
    until(&engine, &id(), |view| !asks_for_permission(view)).await;

    let hurried =
        CallOptions { permission_timeout: Duration::from_millis(50), ..CallOptions::new("hurried") };
    let page = arguments(r#"{ "title": "Tea" }"#);
    let error = engine.call_tool(&id(), "create_page", page.clone(), hurried).await.unwrap_err();
    assert_eq!(error.code, Code::InsufficientScope);

    let at_once = CallOptions { permission_timeout: Duration::ZERO, ..CallOptions::new("at once") };
    let error = engine.call_tool(&id(), "create_page", page, at_once).await.unwrap_err();
    assert_eq!(error.code, Code::InsufficientScope);
    let view = until(&engine, &id(), |view| view.last_error.is_some()).await;
    assert!(is_connected(&view) && !asks_for_permission(&view));
    sign_in(&engine, &id()).await.unwrap();
    assert!(
        !write(&engine, "after").await.unwrap().is_error,
        "the sign-in also requests scopes that no call waits for any more"
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_server_that_always_asks_for_more_scopes_gets_no_further_sign_in() {
    let (sandbox, server) = (Sandbox::new(), mcp_server(reject_for_lack_of_scopes).await);
    sandbox.write_config(&config(&[("demo", &server.url())]));
    let engine = sandbox.start().await;
    until(&engine, &id(), is_connected).await;
    for _ in 0..3 {
        let options = CallOptions { permission_timeout: Duration::ZERO, ..CallOptions::new("call") };
        let error = engine.call_tool(&id(), "write", Map::new(), options).await.unwrap_err();
        assert_eq!(error.code, Code::InsufficientScope);
    }
    let error = engine.call_tool(&id(), "write", Map::new(), CallOptions::new("call")).await.unwrap_err();
    assert_eq!(error.code, Code::ProtocolError, "{error:?}");
    assert!(matches!(engine.server(&id()).unwrap().status, Status::Connected { .. }));
    engine.stop().await;
}

#[tokio::test]
async fn a_connection_that_lacks_a_permission_names_it() {
    let challenge = r#"Bearer error="insufficient_scope", scope="lists:read""#;
    let server = mcp_server(move |request| {
        (request.rpc_method() == "tools/list")
            .then(|| (StatusCode::FORBIDDEN, [("www-authenticate", challenge)]).into_response())
    })
    .await;
    let sandbox = Sandbox::new();
    sandbox.write_config(&config(&[("demo", &server.url())]));
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded });
    let permission = PermissionView { scopes: vec!["lists:read".to_owned()], for_what: None };
    assert_eq!(view.permission, Some(permission));
    engine.stop().await;
}

#[tokio::test]
async fn stopping_the_engine_ends_the_wait_for_a_permission() {
    let (sandbox, demo) = (Sandbox::new(), read_only_demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let call = spawn_write(&engine, "write");
    until(&engine, &id(), asks_for_permission).await;
    engine.stop().await;
    let outcome = tokio::time::timeout(Duration::from_secs(5), call).await.unwrap();
    outcome.unwrap().unwrap_err();
}
