//! Refresh without a caller: before expiry and after a sleep, but not while disconnected or paused.

use std::time::{Duration, Instant};

use usher_api::{NeedsSignIn, ServerId, Status};
use usher_demo::{Demo, DemoOptions, ListFault, TokenFault};

use crate::fixture::*;

const LIFETIME: Duration = Duration::from_secs(100);

async fn until_refreshed(demo: &Demo, times: usize) {
    until_true(|| demo.token_requests("refresh_token") >= times).await;
}

#[tokio::test]
async fn a_token_is_refreshed_repeatedly_without_a_caller() {
    let (_sandbox, demo, engine) = signed_in(lifetime(Duration::from_secs(3))).await;
    demo.forget_requests();
    let begun = Instant::now();
    until_refreshed(&demo, 2).await;
    assert!(begun.elapsed() > Duration::from_secs(4), "no refresh long before the expiry");
    let requests = requests(&demo);
    assert_eq!(requests.iter().filter(|request| *request == "POST /token refresh_token 200").count(), 2);
    assert!(!requests.iter().any(|request| request.contains(" 401") || request.contains("tools/call")));
    assert!(is_connected(&engine.server(&id()).unwrap()));
}

#[tokio::test]
async fn after_a_sleep_an_expired_token_is_refreshed_at_once() {
    let (sandbox, demo, _engine) = signed_in(lifetime(LIFETIME)).await;
    // The wall clock advances by an hour, but no timer has fired.
    advance(&sandbox, &[&demo], Duration::from_secs(3600));
    until_refreshed(&demo, 1).await;
    assert!(
        !requests(&demo)[1..].iter().any(|request| request.contains(" 401")),
        "no expired token was sent"
    );
}

#[tokio::test]
async fn no_token_is_refreshed_while_its_server_is_disconnected_or_paused() {
    let sandbox = Sandbox::new();
    let (idle, active) = (demo_with(lifetime(LIFETIME)).await, demo_with(lifetime(LIFETIME)).await);
    let (idle_id, active_id) = (ServerId("idle".to_owned()), ServerId("active".to_owned()));
    sandbox.write_config(&config(&[("idle", idle.url().as_str()), ("active", active.url().as_str())]));
    let engine = sandbox.start().await;
    sign_in(&engine, &idle_id).await.unwrap();
    sign_in(&engine, &active_id).await.unwrap();
    engine.disconnect(&idle_id).await.unwrap();
    advance(&sandbox, &[&idle, &active], LIFETIME * 2);
    until_refreshed(&active, 1).await;
    assert_eq!(idle.token_requests("refresh_token"), 0);
    engine.connect(&idle_id).await.unwrap();
    until(&engine, &idle_id, is_connected).await;
    assert_eq!(idle.token_requests("refresh_token"), 1);

    engine.pause_all().await;
    active.forget_requests();
    advance(&sandbox, &[&idle, &active], LIFETIME * 2);
    engine.reconnect_all();
    engine.resume_all().await;
    until(&engine, &active_id, is_connected).await;
    assert_eq!(active.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn a_grant_that_lacks_scopes_is_kept() {
    let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    demo.set_list_fault(Some(ListFault::InsufficientScope));
    engine.connect(&id()).await.unwrap();
    let more = Status::NeedsSignIn { reason: NeedsSignIn::InsufficientScope };
    until(&engine, &id(), |view| view.status == more).await;
    advance(&sandbox, &[&demo], LIFETIME * 95 / 100);
    until_refreshed(&demo, 1).await;
    assert_eq!(engine.server(&id()).unwrap().status, more);
    demo.set_list_fault(None);
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert_eq!(demo.token_requests("authorization_code"), 1);

    // When the service revokes the grant, the status shows it.
    demo.set_list_fault(Some(ListFault::InsufficientScope));
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), |view| view.status == more).await;
    demo.revoke_everything();
    advance(&sandbox, &[&demo], LIFETIME);
    let view = until(&engine, &id(), |view| view.status != more).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Expired });
}

#[tokio::test]
async fn a_revocation_is_noticed_without_a_caller() {
    let (_sandbox, demo, engine) = signed_in(lifetime(Duration::from_secs(3))).await;
    demo.revoke_everything();
    until_sign_in_needed(&engine, NeedsSignIn::Expired).await;
    assert_eq!(demo.token_requests("refresh_token"), 1);
}

#[tokio::test]
async fn retry_after_is_respected() {
    let (_sandbox, demo, engine) = signed_in(lifetime(Duration::from_secs(6))).await;
    demo.add_token_fault(TokenFault::TooManyRequests { retry_after: 3 });
    until_refreshed(&demo, 1).await;
    let rejected = Instant::now();
    // Neither a wake nor a returned network shortens the wait.
    engine.reconnect_all();
    engine.reconnect_all();
    until_refreshed(&demo, 2).await;
    assert!(rejected.elapsed() > Duration::from_millis(2800), "{:?}", rejected.elapsed());
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_returned_network_ends_the_backoff() {
    let (sandbox, demo, engine) = signed_in(lifetime(LIFETIME)).await;
    for _ in 0..4 {
        demo.add_token_fault(TokenFault::ServerError);
    }
    advance(&sandbox, &[&demo], LIFETIME * 95 / 100);
    // After four failures in a row, the backoff is at least six seconds.
    until_refreshed(&demo, 4).await;
    let failed = Instant::now();
    engine.reconnect_all();
    until_refreshed(&demo, 5).await;
    assert!(failed.elapsed() < Duration::from_secs(5), "{:?}", failed.elapsed());
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_lost_response_is_not_reported_as_an_expired_sign_in() {
    let (_sandbox, demo, engine) = signed_in(lifetime(Duration::from_secs(3))).await;
    demo.add_token_fault(TokenFault::ResponseLost);
    until_sign_in_needed(&engine, NeedsSignIn::RefreshInterrupted).await;
    assert_eq!(demo.token_requests("refresh_token"), 2, "one retry");
}

#[tokio::test]
async fn a_lost_response_is_recovered_within_a_grace_period() {
    let refresh_grace = Duration::from_secs(5);
    let options = DemoOptions { refresh_grace, ..lifetime(Duration::from_secs(20)) };
    let (sandbox, demo, engine) = signed_in(options).await;
    demo.add_token_fault(TokenFault::ResponseLost);
    advance(&sandbox, &[&demo], Duration::from_secs(19));
    until_refreshed(&demo, 2).await;
    advance(&sandbox, &[&demo], Duration::from_secs(19));
    until_refreshed(&demo, 3).await;
    until(&engine, &id(), is_connected).await;
}
