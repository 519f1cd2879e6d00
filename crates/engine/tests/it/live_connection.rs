//! What a connection survives: a new sign-in, a sleep, a server that forgot it, an answer that never came.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde_json::{Map, json};
use usher_api::{Code, ErrorView, NeedsSignIn, Status, ToolCallView};
use usher_demo::{Demo, DemoOptions, Eras};
use usher_engine::{CallOptions, Engine};

use crate::fixture::*;
use crate::scripted::{Scripted, result};

async fn call(engine: &Engine, tool: &str) -> Result<ToolCallView, ErrorView> {
    engine.call_tool(&id(), tool, Map::new(), CallOptions::new(tool)).await
}

async fn engine_at(place: &Place, server: &Scripted) -> Engine {
    place.write_config(&config(&[("demo", &server.url)]));
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    engine
}

#[tokio::test]
async fn a_new_sign_in_feeds_the_connection_that_is_there() {
    for eras in [Eras::All, Eras::HandshakeOnly] {
        let place = Place::new();
        let demo = Demo::start(DemoOptions { eras, ..DemoOptions::default() }).await.unwrap();
        let engine = signed_in(&place, &demo).await;
        demo.revoke_everything();
        assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
        until(&engine, &id(), needs_sign_in).await;
        demo.forget_requests();
        sign_in(&engine, &id()).await.unwrap();
        call(&engine, "search_pages").await.unwrap();
        let asked: Vec<_> = ledger(&demo).into_iter().filter(|line| line.starts_with("POST /mcp")).collect();
        assert_eq!(
            asked,
            ["POST /mcp tools/list 200", "POST /mcp tools/call 200"],
            "{eras:?}: no new handshake"
        );
        engine.stop().await;
    }
}

#[tokio::test]
async fn after_a_sleep_a_new_connection_takes_the_place_of_the_old_one() {
    let (place, demo) = (Place::new(), demo().await);
    let engine = signed_in(&place, &demo).await;
    let since = |engine: &Engine| match engine.server(&id()).unwrap().status {
        Status::Connected { since, .. } => since,
        status => panic!("{status:?}"),
    };
    let before = since(&engine);
    for _ in 0..2 {
        demo.forget_requests();
        let mut story = Story::of(&engine);
        engine.reconnect_all();
        tokio::time::timeout(PATIENCE, async {
            while ledger(&demo).len() < 2 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap();
        assert_eq!(ledger(&demo), ["POST /mcp server/discover 200", "POST /mcp tools/list 200"]);
        call(&engine, "search_pages").await.unwrap();
        // It was connected all the while; what was listed before may be old.
        let mut told = Vec::new();
        tokio::time::timeout(PATIENCE, async {
            while told.len() < 2 {
                told.extend(story.told());
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await
        .unwrap();
        assert_eq!(told, ["demo resources changed", "demo prompts changed"]);
    }
    assert_eq!(since(&engine), before);
    engine.stop().await;
}

#[tokio::test]
async fn what_waits_to_reconnect_does_so_at_once_when_the_network_returns() {
    let (place, key) = (Place::new(), Some([3; 32]));
    let demo = Demo::start(DemoOptions { signing_key: key, ..DemoOptions::default() }).await.unwrap();
    let engine = signed_in(&place, &demo).await;
    let port = demo.port();
    demo.stop().await;
    call(&engine, "search_pages").await.unwrap_err();
    // Some way into the backoff: the next try by itself would come after three seconds and more.
    let waits =
        until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { attempt: 3.., .. })).await;
    let Status::Reconnecting { next_at, .. } = waits.status else { panic!("it waits") };
    let demo = Demo::start(DemoOptions { signing_key: key, port: Some(port), ..DemoOptions::default() })
        .await
        .unwrap();
    engine.reconnect_all();
    until(&engine, &id(), is_connected).await;
    assert!(place.clock.now() < next_at, "it did not wait");
    engine.stop().await;
    demo.stop().await;
}

#[tokio::test]
async fn a_forgotten_session_is_made_anew_and_the_call_repeated() {
    let place = Place::new();
    let eras = Eras::HandshakeOnly;
    let demo = Demo::start(DemoOptions { eras, ..DemoOptions::default() }).await.unwrap();
    let engine = signed_in(&place, &demo).await;
    demo.forget_sessions().await;
    call(&engine, "search_pages").await.unwrap();
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_session_that_is_unknown_with_a_400_is_made_anew_too() {
    let server = Scripted::start(|request| {
        let stale = request.handshakes == 1 && request.method == "tools/call";
        let error = json!({ "code": -32000, "message": "Bad Request: No valid session ID provided" });
        let body = axum::Json(json!({ "jsonrpc": "2.0", "id": null, "error": error }));
        stale.then(|| (StatusCode::BAD_REQUEST, body).into_response())
    })
    .await;
    let place = Place::new();
    let engine = engine_at(&place, &server).await;
    assert!(
        !call(&engine, "greedy").await.unwrap().is_error,
        "a refused session did nothing: any tool is safe"
    );
    assert_eq!((server.count("initialize"), server.count("tools/call")), (2, 2));
    engine.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_only_where_that_does_no_harm() {
    let server = Scripted::start(|request| {
        let broken = "data: {\"jsonrpc\"\n\n";
        let stream = ([("content-type", "text/event-stream")], broken);
        (request.method == "tools/call" && request.handshakes == 1).then(|| stream.into_response())
    })
    .await;
    let place = Place::new();
    let engine = engine_at(&place, &server).await;
    let error = call(&engine, "greedy").await.unwrap_err();
    assert_eq!((error.code, server.count("tools/call")), (Code::ServerUnreachable, 1), "{error:?}");
    until(&engine, &id(), is_connected).await;

    let server = Scripted::start(|request| {
        let stream = ([("content-type", "text/event-stream")], "data: {\"jsonrpc\"\n\n");
        (request.method == "tools/call" && request.handshakes == 1).then(|| stream.into_response())
    })
    .await;
    let place = Place::new();
    let engine = engine_at(&place, &server).await;
    assert!(!call(&engine, "reader").await.unwrap().is_error);
    assert_eq!((server.count("initialize"), server.count("tools/call")), (2, 2));
    engine.stop().await;
}

#[tokio::test]
async fn lists_for_everybody_and_a_401_for_a_call_lead_to_a_sign_in() {
    let place = Place::new();
    let guard = usher_demo::Guard::ToolCallsOnly;
    let demo = Demo::start(DemoOptions { guard, ..DemoOptions::default() }).await.unwrap();
    place.know(&demo);
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    sign_in(&engine, &id()).await.unwrap();
    assert!(!call(&engine, "search_pages").await.unwrap().is_error);
    engine.stop().await;
}

#[tokio::test]
async fn a_401_in_a_result_renews_once_and_then_offers_a_sign_in() {
    let place = Place::new();
    let guard = usher_demo::Guard::ToolCallsInResult;
    let demo = Demo::start(DemoOptions { guard, ..DemoOptions::default() }).await.unwrap();
    place.know(&demo);
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;

    // Nobody is signed in: the result is handed on, and a sign-in is offered beside what works.
    assert!(call(&engine, "search_pages").await.unwrap().is_error);
    let view = until(&engine, &id(), |view| view.last_error.is_some()).await;
    assert!(is_connected(&view));
    assert_eq!(view.last_error.unwrap().code, Code::SignInRequired);
    sign_in(&engine, &id()).await.unwrap();
    assert!(!call(&engine, "search_pages").await.unwrap().is_error);

    // The token is refused: renewed once, and what only reads is called again.
    demo.revoke_access_tokens();
    assert!(!call(&engine, "search_pages").await.unwrap().is_error);
    assert_eq!(demo.token_requests("refresh_token"), 1);
    assert_eq!(engine.server(&id()).unwrap().last_error, None);

    // What writes is left to the person, with a token that works the next time.
    demo.revoke_access_tokens();
    let page: Map<_, _> = serde_json::from_str(r#"{ "title": "Tea" }"#).unwrap();
    let server_id = id();
    let write = |call| engine.call_tool(&server_id, "create_page", page.clone(), CallOptions::new(call));
    assert!(write("first").await.unwrap().is_error);
    assert!(!write("second").await.unwrap().is_error);
    assert_eq!(demo.token_requests("refresh_token"), 2);

    // The whole sign-in is gone.
    demo.revoke_everything();
    assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
    until(&engine, &id(), needs_sign_in).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_401_of_another_service_in_a_result_does_not_end_the_connection() {
    let pages = AtomicUsize::new(0);
    let server = Scripted::start(move |request| {
        let content = json!([{ "type": "text", "text": "The page answered 401 Unauthorized." }]);
        let is_first = request.method == "tools/call" && pages.fetch_add(1, Ordering::Relaxed) == 0;
        is_first.then(|| result(request, json!({ "content": content, "isError": true })))
    })
    .await;
    let place = Place::new();
    let engine = engine_at(&place, &server).await;
    assert!(call(&engine, "reader").await.unwrap().is_error);
    assert!(is_connected(&until(&engine, &id(), |view| view.last_error.is_some()).await));
    assert_eq!(server.count("tools/call"), 1);
    assert!(!call(&engine, "reader").await.unwrap().is_error);
    until(&engine, &id(), |view| view.last_error.is_none()).await;
    engine.stop().await;
}
