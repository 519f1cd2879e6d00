//! Token refresh: all callers share one refresh, and the grant is deleted only when the server revokes it.

use std::time::Duration;

use futures::future::join_all;
use serde_json::Map;
use usher_api::{AuthView, Code, NeedsSignIn, ServerView};
use usher_demo::TokenFault;
use usher_engine::{CallOptions, Engine};
use usher_fake_service::{Options, Request};
use usher_secrets::{SecretStore, StoreKind, StoredGrant};

use crate::fixture::*;
use crate::granted_service::GrantedService;

const LIFETIME: Duration = Duration::from_secs(100);

async fn search(engine: &Engine, call: &str) -> Result<usher_api::ToolCallView, usher_api::ErrorView> {
    let arguments = serde_json::from_str(r#"{ "query": "tea" }"#).unwrap();
    engine.call_tool(&id(), "search_pages", arguments, CallOptions::new(call)).await
}

async fn fifty_searches(engine: &Engine) {
    let calls: Vec<String> = (0..50).map(|number| format!("call-{number}")).collect();
    let outcomes = join_all(calls.iter().map(|call| search(engine, call))).await;
    for outcome in outcomes {
        assert!(!outcome.unwrap().is_error);
    }
}

#[tokio::test]
async fn fifty_callers_at_one_expiry_make_one_refresh() {
    let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    advance(&sandbox, &[&demo], LIFETIME + Duration::from_secs(1));
    fifty_searches(&engine).await;
    assert_eq!(demo.token_requests("refresh_token"), 1);
    assert!(
        !requests(&demo)[1..].iter().any(|request| request.contains(" 401")),
        "no expired token was sent"
    );
}

#[tokio::test]
async fn fifty_callers_with_a_revoked_token_make_one_refresh() {
    let (_sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    demo.revoke_access_tokens();
    fifty_searches(&engine).await;
    assert_eq!(demo.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn a_caller_that_arrives_during_a_refresh_waits_for_its_outcome() {
    let (sandbox, service) = (Sandbox::new(), GrantedService::start(Options::default()).await);
    service.store_grant(&sandbox).await;
    let engine = sandbox.start_connected().await;
    service.ledger().expire(service.family());
    service.hold_token_replies();
    let start_call = |name: &'static str| {
        let engine = engine.clone();
        tokio::spawn(async move {
            engine.call_tool(&id(), "read", Map::new(), CallOptions::new(name)).await.unwrap()
        })
    };
    let is_call = |request: &Request| request.rpc_method() == "tools/call";
    let first = start_call("first");
    service.until_requests("POST /token", 2).await;
    let second = start_call("second");
    // The service rejects the old token of the second call, too, while it holds the reply to the refresh.
    until_true(|| service.requests().iter().filter(|request| is_call(request)).count() == 2).await;
    service.release_token_reply();
    for call in [first, second] {
        assert!(!call.await.unwrap().is_error);
    }
    assert_eq!(service.sent_tokens(), [0, 1], "one refresh at the start, and one for both calls");
}

#[tokio::test]
async fn a_token_is_refreshed_shortly_before_its_expiry() {
    let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    advance(&sandbox, &[&demo], LIFETIME * 89 / 100);
    search(&engine, "early").await.unwrap();
    assert_eq!(demo.token_requests("refresh_token"), 0);
    advance(&sandbox, &[&demo], LIFETIME * 2 / 100);
    search(&engine, "due").await.unwrap();
    assert_eq!(demo.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn a_caller_that_is_dropped_during_a_refresh_loses_nothing() {
    let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    let AuthView::OAuth { expires_at: before, .. } = engine.server(&id()).unwrap().auth else {
        panic!("not OAuth")
    };
    advance(&sandbox, &[&demo], LIFETIME + Duration::from_secs(1));
    let call = search(&engine, "dropped");
    // The call is polled until the refresh has begun, then dropped.
    tokio::select! {
        biased;
        _ = call => panic!("the call ended before the refresh"),
        () = async { while demo.token_requests("refresh_token") == 0 { tokio::task::yield_now().await } } => {}
    }
    let is_refreshed =
        |view: &ServerView| matches!(&view.auth, AuthView::OAuth { expires_at, .. } if *expires_at > before);
    until(&engine, &id(), is_refreshed).await;
    search(&engine, "after").await.unwrap();
    assert_eq!(demo.token_requests("refresh_token"), 1);
    engine.stop().await;
    let _engine = sandbox.start_connected().await;
}

#[tokio::test]
async fn an_outage_signs_nobody_out() {
    let faults = [
        TokenFault::ServerError,
        TokenFault::Unavailable { retry_after: Some(1) },
        TokenFault::TooManyRequests { retry_after: 1 },
        TokenFault::HtmlPage,
        TokenFault::UnavailableInvalidGrant,
    ];
    for fault in faults {
        let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
        advance(&sandbox, &[&demo], LIFETIME + Duration::from_secs(1));
        demo.add_token_fault(fault);
        let error = search(&engine, "during").await.unwrap_err();
        assert_eq!(error.code, Code::ServerUnreachable, "{fault:?}");
        let view = until(&engine, &id(), |view| !is_connected(view)).await;
        assert!(is_reconnecting(&view), "{fault:?}: {:?}", view.status);
        let AuthView::OAuth { signed_in: true, .. } = view.auth else { panic!("{fault:?}: {:?}", view.auth) };
        advance(&sandbox, &[&demo], Duration::from_secs(3));
        engine.connect(&id()).await.unwrap();
        until(&engine, &id(), is_connected).await;
        search(&engine, "after").await.unwrap();
        engine.stop().await;
    }
}

#[tokio::test]
async fn an_outage_while_the_token_is_still_valid_has_no_effect() {
    let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    advance(&sandbox, &[&demo], LIFETIME * 95 / 100);
    demo.add_token_fault(TokenFault::ServerError);
    search(&engine, "during").await.unwrap();
    assert!(is_connected(&engine.server(&id()).unwrap()));
}

#[tokio::test]
async fn invalid_grant_ends_the_sign_in() {
    let (_sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    demo.revoke_everything();
    assert_eq!(search(&engine, "after").await.unwrap_err().code, Code::SignInRequired);
    until_sign_in_needed(&engine, NeedsSignIn::Expired).await;
    assert_eq!(demo.token_requests("refresh_token"), 1);
    sign_in(&engine, &id()).await.unwrap();
    search(&engine, "again").await.unwrap();
}

#[tokio::test]
async fn a_registration_that_the_server_lost_is_repeated() {
    let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    advance(&sandbox, &[&demo], LIFETIME + Duration::from_secs(1));
    demo.forget_clients();
    assert_eq!(search(&engine, "after").await.unwrap_err().code, Code::SignInRequired);
    until_sign_in_needed(&engine, NeedsSignIn::RegistrationLost).await;
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    assert!(requests(&demo).contains(&"POST /register 201".to_owned()));
}

#[tokio::test]
async fn a_lost_registration_does_not_block_the_next_sign_in() {
    let (_sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    engine.sign_out(&id()).await.unwrap();
    demo.forget_clients();
    // The page shows an error and sends no callback. The person cancels and tries again.
    engine.sign_in(&id(), Default::default()).await.unwrap();
    engine.cancel_sign_in(&id()).await;
    sign_in(&engine, &id()).await.unwrap();
}

#[tokio::test]
async fn a_registration_that_the_callback_rejects_is_repeated() {
    let (_sandbox, demo, engine) = signed_in(Default::default()).await;
    engine.sign_out(&id()).await.unwrap();
    demo.forget_requests();
    let request = engine.sign_in(&id(), Default::default()).await.unwrap();
    let address = url::Url::parse(&request.authorization_url).unwrap();
    let (_, state) = address.query_pairs().find(|(name, _)| name == "state").unwrap();
    let mut callback = url::Url::parse(&request.redirect_uri).unwrap();
    callback.query_pairs_mut().extend_pairs([
        ("error", "unauthorized_client"),
        ("state", state.as_ref()),
        ("iss", demo.issuer()),
    ]);
    engine.complete_sign_in(callback.as_str()).await.unwrap_err();
    until_sign_in_needed(&engine, NeedsSignIn::RegistrationLost).await;
    assert!(!requests(&demo).contains(&"POST /register 201".to_owned()), "reused until it was rejected");
    sign_in(&engine, &id()).await.unwrap();
    assert!(requests(&demo).contains(&"POST /register 201".to_owned()));
}

#[tokio::test]
async fn a_grant_without_a_refresh_token_expires_when_it_is_rejected() {
    let (sandbox, demo) = signed_in_before().await;
    // The grant of a service that issues no refresh tokens.
    let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
    let stored = store.grant("demo").await.unwrap().unwrap();
    store.put_grant("demo", &StoredGrant { refresh_token: None, ..stored }).await.unwrap();
    let engine = sandbox.start_connected().await;
    demo.revoke_access_tokens();
    assert_eq!(search(&engine, "rejected").await.unwrap_err().code, Code::SignInRequired);
    until_sign_in_needed(&engine, NeedsSignIn::Expired).await;
}
