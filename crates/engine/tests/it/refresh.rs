//! Renewing a sign-in: once for all callers, kept before it is used, and lost only when the server says so.

use std::time::Duration;

use futures::future::join_all;
use usher_api::{AuthView, Code, NeedsSignIn, Status};
use usher_demo::{Demo, DemoOptions, TokenFault};
use usher_engine::{CallOptions, Engine};
use usher_secrets::{SecretStore, StoreKind, StoredGrant};

use crate::fixture::*;

const LIFE: Duration = Duration::from_secs(100);

async fn short_lived() -> Demo {
    Demo::start(DemoOptions { life: LIFE, ..DemoOptions::default() }).await.unwrap()
}

/// Lets time pass here and there.
fn pass(place: &Place, demo: &Demo, time: Duration) {
    place.clock.advance(time);
    demo.advance_clock(time);
}

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
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    pass(&place, &demo, LIFE + Duration::from_secs(1));
    fifty_searches(&engine).await;
    assert_eq!(demo.token_requests("refresh_token"), 1);
    assert!(!ledger(&demo)[1..].iter().any(|request| request.contains(" 401")), "no expired token was sent");
    engine.stop().await;
}

#[tokio::test]
async fn fifty_callers_with_a_revoked_token_make_one_refresh() {
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    demo.revoke_access_tokens();
    fifty_searches(&engine).await;
    assert_eq!(demo.token_requests("refresh_token"), 1);
    engine.stop().await;
}

#[tokio::test]
async fn a_token_is_renewed_ahead_of_its_end_and_not_earlier() {
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    pass(&place, &demo, LIFE * 89 / 100);
    search(&engine, "early").await.unwrap();
    assert_eq!(demo.token_requests("refresh_token"), 0);
    pass(&place, &demo, LIFE * 2 / 100);
    search(&engine, "due").await.unwrap();
    assert_eq!(demo.token_requests("refresh_token"), 1);
    engine.stop().await;
}

#[tokio::test]
async fn a_caller_that_goes_away_in_mid_refresh_loses_nothing() {
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    let AuthView::OAuth { expires_at: before, .. } = engine.server(&id()).unwrap().auth else {
        panic!("OAuth")
    };
    pass(&place, &demo, LIFE + Duration::from_secs(1));
    let call = search(&engine, "dropped");
    // Polled until the renewal has begun, then dropped.
    tokio::select! {
        biased;
        _ = call => panic!("it cannot be that quick"),
        () = async { while demo.token_requests("refresh_token") == 0 { tokio::task::yield_now().await } } => {}
    }
    until(
        &engine,
        &id(),
        |view| matches!(&view.auth, AuthView::OAuth { expires_at, .. } if *expires_at > before),
    )
    .await;
    search(&engine, "after").await.unwrap();
    assert_eq!(demo.token_requests("refresh_token"), 1);
    engine.stop().await;
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
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
        let (place, demo) = (Place::new(), short_lived().await);
        let engine = signed_in(&place, &demo).await;
        pass(&place, &demo, LIFE + Duration::from_secs(1));
        demo.add_token_fault(fault);
        let error = search(&engine, "during").await.unwrap_err();
        assert_eq!(error.code, Code::ServerUnreachable, "{fault:?}");
        let view = until(&engine, &id(), |view| !is_connected(view)).await;
        assert!(matches!(view.status, Status::Reconnecting { .. }), "{fault:?}: {:?}", view.status);
        let AuthView::OAuth { signed_in: true, .. } = view.auth else { panic!("{fault:?}: {:?}", view.auth) };
        pass(&place, &demo, Duration::from_secs(3));
        engine.connect(&id()).await.unwrap();
        until(&engine, &id(), is_connected).await;
        search(&engine, "after").await.unwrap();
        engine.stop().await;
    }
}

#[tokio::test]
async fn an_outage_with_a_token_that_is_still_good_is_not_noticed() {
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    pass(&place, &demo, LIFE * 95 / 100);
    demo.add_token_fault(TokenFault::ServerError);
    search(&engine, "during").await.unwrap();
    assert!(is_connected(&engine.server(&id()).unwrap()));
    engine.stop().await;
}

#[tokio::test]
async fn invalid_grant_ends_the_sign_in() {
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    demo.revoke_everything();
    let error = search(&engine, "after").await.unwrap_err();
    assert_eq!(error.code, Code::SignInRequired);
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Expired });
    assert_eq!(demo.token_requests("refresh_token"), 1);
    sign_in(&engine, &id()).await.unwrap();
    search(&engine, "again").await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn a_purged_registration_is_made_anew() {
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    pass(&place, &demo, LIFE + Duration::from_secs(1));
    demo.forget_clients();
    let error = search(&engine, "after").await.unwrap_err();
    assert_eq!(error.code, Code::SignInRequired);
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::RegistrationLost });
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    assert!(ledger(&demo).contains(&"POST /register 201".to_owned()));
    engine.stop().await;
}

#[tokio::test]
async fn a_dead_registration_does_not_trap_the_person() {
    let (place, demo) = (Place::new(), short_lived().await);
    let engine = signed_in(&place, &demo).await;
    engine.sign_out(&id()).await.unwrap();
    demo.forget_clients();
    // The page shows an error, nobody comes back, the person gives up and tries again.
    engine.sign_in(&id(), Default::default()).await.unwrap();
    engine.cancel_sign_in(&id()).await;
    sign_in(&engine, &id()).await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn a_registration_that_the_page_no_longer_knows_is_made_anew() {
    let (place, demo) = (Place::new(), demo().await);
    let engine = signed_in(&place, &demo).await;
    engine.sign_out(&id()).await.unwrap();
    demo.forget_requests();
    let request = engine.sign_in(&id(), Default::default()).await.unwrap();
    let asked = url::Url::parse(&request.authorization_url).unwrap();
    let (_, state) = asked.query_pairs().find(|(name, _)| name == "state").unwrap();
    let mut callback = url::Url::parse(&request.redirect_uri).unwrap();
    callback.query_pairs_mut().extend_pairs([
        ("error", "unauthorized_client"),
        ("state", state.as_ref()),
        ("iss", demo.issuer()),
    ]);
    engine.complete_sign_in(callback.as_str()).await.unwrap_err();
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::RegistrationLost });
    assert!(!ledger(&demo).contains(&"POST /register 201".to_owned()), "it was reused until it was refused");
    sign_in(&engine, &id()).await.unwrap();
    assert!(ledger(&demo).contains(&"POST /register 201".to_owned()));
    engine.stop().await;
}

#[tokio::test]
async fn a_sign_in_that_cannot_be_renewed_ends_as_expired_when_it_is_refused() {
    let (place, demo) = (Place::new(), demo().await);
    signed_in(&place, &demo).await.stop().await;
    // As of a service that gives no refresh tokens.
    let store = SecretStore::open(StoreKind::File(place.path("secrets")));
    let kept = store.grant("demo").await.unwrap().unwrap();
    store.put_grant("demo", &StoredGrant { refresh_token: None, ..kept }).await.unwrap();
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    demo.revoke_access_tokens();
    assert_eq!(search(&engine, "refused").await.unwrap_err().code, Code::SignInRequired);
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Expired });
    engine.stop().await;
}
