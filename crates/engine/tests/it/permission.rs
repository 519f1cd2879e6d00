//! A call that lacks a permission: it waits while the person is asked, and goes on by itself.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, Value};
use usher_api::{Code, ErrorView, Event, NeedsSignIn, PermissionView, ServerView, Status, ToolCallView};
use usher_demo::{Demo, DemoOptions, ListFault};
use usher_engine::{CallOptions, Engine, SignInOptions};

use crate::fixture::*;
use crate::scripted::{Scripted, insatiable};

/// A demo that first asks only for reading.
async fn readable() -> Demo {
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

/// A call on its way, in a task of its own.
fn writing(engine: &Engine, call: &'static str) -> tokio::task::JoinHandle<Result<ToolCallView, ErrorView>> {
    let engine = engine.clone();
    tokio::spawn(async move { write(&engine, call).await })
}

fn asks(view: &ServerView) -> bool {
    view.permission.is_some()
}

fn wanted() -> PermissionView {
    PermissionView { scopes: vec!["notes:write".to_owned()], for_what: Some("Create page".to_owned()) }
}

#[tokio::test]
async fn a_call_waits_for_its_permission_and_then_goes_on() {
    let (place, demo) = (Place::new(), readable().await);
    let engine = signed_in(&place, &demo).await;
    let call = writing(&engine, "write");
    let view = until(&engine, &id(), asks).await;
    assert_eq!(view.permission, Some(wanted()));
    assert!(is_connected(&view), "what is permitted still works: {:?}", view.status);
    let search = engine.call_tool(&id(), "search_pages", Map::new(), CallOptions::new("search")).await;
    assert!(!search.unwrap().is_error);

    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let asked = url::Url::parse(&request.authorization_url).unwrap();
    let (_, asked) = asked.query_pairs().find(|(name, _)| name == "scope").unwrap();
    assert!(asked.contains("notes:read") && asked.contains("notes:write"), "the union: {asked}");
    assert!(asks(&engine.server(&id()).unwrap()), "it is asked for until it is given");
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
    assert_eq!(ledger(&demo), expected, "the same connection serves the call");
    engine.stop().await;
}

fn asked_scopes(request: &usher_api::AuthorizationRequestView) -> String {
    let address = url::Url::parse(&request.authorization_url).unwrap();
    let (_, scopes) = address.query_pairs().find(|(name, _)| name == "scope").unwrap();
    scopes.into_owned()
}

#[tokio::test]
async fn a_call_goes_on_waiting_when_its_connection_is_made_anew() {
    let (place, demo) = (Place::new(), readable().await);
    let engine = signed_in(&place, &demo).await;
    let call = writing(&engine, "write");
    until(&engine, &id(), asks).await;
    let mut events = engine.subscribe();
    engine.connect(&id()).await.unwrap();
    let connected_anew = async {
        loop {
            if let Event::ServerChanged { view, .. } = events.recv().await.unwrap()
                && is_connected(&view)
            {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, connected_anew).await.unwrap();
    assert_eq!(engine.server(&id()).unwrap().permission, Some(wanted()));
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert!(asked_scopes(&request).contains("notes:write"), "{}", asked_scopes(&request));
    let callback = decide(&request, "allow").await;
    engine.complete_sign_in(&callback).await.unwrap();
    assert!(!call.await.unwrap().unwrap().is_error);
    engine.stop().await;
}

#[tokio::test]
async fn a_permission_counts_though_the_first_list_after_it_fails() {
    let (place, demo) = (Place::new(), readable().await);
    let engine = signed_in(&place, &demo).await;
    let call = writing(&engine, "write");
    until(&engine, &id(), asks).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "allow").await;
    demo.set_list_fault(Some(ListFault::BadGateway));
    engine.complete_sign_in(&callback).await.unwrap_err();
    demo.set_list_fault(None);
    let answer = tokio::time::timeout(PATIENCE, call).await.expect("it goes on with the next connection");
    assert!(!answer.unwrap().unwrap().is_error);
    assert_eq!(engine.server(&id()).unwrap().permission, None);
    engine.stop().await;
}

#[tokio::test]
async fn several_calls_wait_for_one_permission() {
    let (place, demo) = (Place::new(), readable().await);
    let engine = signed_in(&place, &demo).await;
    let calls = [writing(&engine, "one"), writing(&engine, "two"), writing(&engine, "three")];
    let refused = || ledger(&demo).iter().filter(|line| line.ends_with("tools/call 403")).count();
    tokio::time::timeout(PATIENCE, async {
        while refused() < 3 {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
    until(&engine, &id(), asks).await;
    sign_in(&engine, &id()).await.unwrap();
    for call in calls {
        assert!(!call.await.unwrap().unwrap().is_error);
    }
    assert_eq!(demo.token_requests("authorization_code"), 2);
    engine.stop().await;
}

#[tokio::test]
async fn no_is_an_answer() {
    let (place, demo) = (Place::new(), readable().await);
    let engine = signed_in(&place, &demo).await;
    let call = writing(&engine, "write");
    until(&engine, &id(), asks).await;
    engine.decline_permission(&id());
    assert_eq!(call.await.unwrap().unwrap_err().code, Code::InsufficientScope);
    assert!(is_connected(&until(&engine, &id(), |view| !asks(view)).await));
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert!(!asked_scopes(&request).contains("notes:write"), "not once more: {}", asked_scopes(&request));
    engine.cancel_sign_in(&id()).await;

    let call = writing(&engine, "write again");
    until(&engine, &id(), asks).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "deny").await;
    engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(call.await.unwrap().unwrap_err().code, Code::AuthorizationDenied);
    assert!(is_connected(&engine.server(&id()).unwrap()), "the older sign-in still stands");
    engine.stop().await;
}

#[tokio::test]
async fn waiting_ends_with_its_caller_its_time_and_its_cancel() {
    let (place, demo) = (Place::new(), readable().await);
    let engine = signed_in(&place, &demo).await;
    let call = writing(&engine, "dropped");
    until(&engine, &id(), asks).await;
    call.abort();
    until(&engine, &id(), |view| !asks(view)).await;

    let call = writing(&engine, "cancelled");
    until(&engine, &id(), asks).await;
    engine.cancel_call("cancelled");
    assert!(call.await.unwrap().unwrap_err().message.contains("cancelled"));
    until(&engine, &id(), |view| !asks(view)).await;

    let hurried =
        CallOptions { permission_timeout: Duration::from_millis(50), ..CallOptions::new("hurried") };
    let page = arguments(r#"{ "title": "Tea" }"#);
    let error = engine.call_tool(&id(), "create_page", page.clone(), hurried).await.unwrap_err();
    assert_eq!(error.code, Code::InsufficientScope);

    let at_once = CallOptions { permission_timeout: Duration::ZERO, ..CallOptions::new("at once") };
    let error = engine.call_tool(&id(), "create_page", page, at_once).await.unwrap_err();
    assert_eq!(error.code, Code::InsufficientScope);
    let view = until(&engine, &id(), |view| view.last_error.is_some()).await;
    assert!(is_connected(&view) && !asks(&view));
    sign_in(&engine, &id()).await.unwrap();
    assert!(
        !write(&engine, "after").await.unwrap().is_error,
        "what nobody waits for any more is asked for, too"
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_server_that_is_never_content_is_not_asked_for_ever() {
    let (place, server) = (Place::new(), insatiable().await);
    place.write_config(&config(&[("demo", &server.url)]));
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    for _ in 0..3 {
        let options = CallOptions { permission_timeout: Duration::ZERO, ..CallOptions::new("call") };
        let error = engine.call_tool(&id(), "greedy", Map::new(), options).await.unwrap_err();
        assert_eq!(error.code, Code::InsufficientScope);
    }
    let error = engine.call_tool(&id(), "greedy", Map::new(), CallOptions::new("call")).await.unwrap_err();
    assert_eq!(error.code, Code::ProtocolError, "{error:?}");
    assert!(matches!(engine.server(&id()).unwrap().status, Status::Connected { .. }));
    engine.stop().await;
}

#[tokio::test]
async fn a_connection_that_lacks_a_permission_says_which() {
    let challenge = r#"Bearer error="insufficient_scope", scope="lists:read""#;
    let server = Scripted::start(move |request| {
        (request.method == "tools/list")
            .then(|| (StatusCode::FORBIDDEN, [("www-authenticate", challenge)]).into_response())
    })
    .await;
    let place = Place::new();
    place.write_config(&config(&[("demo", &server.url)]));
    let engine = place.start().await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded });
    let wanted = PermissionView { scopes: vec!["lists:read".to_owned()], for_what: None };
    assert_eq!(view.permission, Some(wanted));
    engine.stop().await;
}

#[tokio::test]
async fn the_end_of_the_engine_ends_the_waiting() {
    let (place, demo) = (Place::new(), readable().await);
    let engine = signed_in(&place, &demo).await;
    let call = writing(&engine, "write");
    until(&engine, &id(), asks).await;
    engine.stop().await;
    let ended = tokio::time::timeout(Duration::from_secs(5), call).await.unwrap();
    ended.unwrap().unwrap_err();
}
