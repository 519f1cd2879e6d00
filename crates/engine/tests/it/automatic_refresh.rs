//! Refresh without a caller: before expiry and after a sleep, but not while disconnected or paused.

use std::time::{Duration, Instant};

use usher_api::{NeedsSignIn, ServerId, Status};
use usher_demo::{Demo, DemoOptions, ListFault, TokenFault};
use usher_engine::Engine;

use crate::fixture::*;

const LIFETIME: Duration = Duration::from_secs(100);

async fn demo_with_lifetime(life: Duration) -> Demo {
    Demo::start(DemoOptions { life, ..DemoOptions::default() }).await.unwrap()
}

async fn until_refreshed(demo: &Demo, times: usize) {
    let wait = async {
        while demo.token_requests("refresh_token") < times {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(TIMEOUT, wait).await.is_err() {
        panic!("timed out waiting for a refresh: {:#?}", requests(demo));
    }
}

#[tokio::test]
async fn a_token_is_refreshed_repeatedly_without_a_caller() {
    let (sandbox, demo) = (Sandbox::new(), demo_with_lifetime(Duration::from_secs(3)).await);
    let engine = signed_in(&sandbox, &demo).await;
    demo.forget_requests();
    let begun = Instant::now();
    until_refreshed(&demo, 2).await;
    assert!(begun.elapsed() > Duration::from_secs(4), "not long before its expiry");
    let requests = requests(&demo);
    assert_eq!(requests.iter().filter(|request| *request == "POST /token refresh_token 200").count(), 2);
    assert!(!requests.iter().any(|request| request.contains(" 401") || request.contains("tools/call")));
    assert!(is_connected(&engine.server(&id()).unwrap()));
    engine.stop().await;
}

#[tokio::test]
async fn after_a_sleep_an_expired_token_is_refreshed_at_once() {
    let (sandbox, demo) = (Sandbox::new(), demo_with_lifetime(LIFETIME).await);
    let engine = signed_in(&sandbox, &demo).await;
    // The wall clock advances by an hour, but no timer has fired.
    sandbox.clock.advance(Duration::from_secs(3600));
    demo.advance_clock(Duration::from_secs(3600));
    until_refreshed(&demo, 1).await;
    assert!(
        !requests(&demo)[1..].iter().any(|request| request.contains(" 401")),
        "no expired token was sent"
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_disconnected_or_paused_server_is_not_refreshed() {
    let (sandbox, idle, active) =
        (Sandbox::new(), demo_with_lifetime(LIFETIME).await, demo_with_lifetime(LIFETIME).await);
    let (idle_id, active_id) = (ServerId("idle".to_owned()), ServerId("active".to_owned()));
    sandbox.write_config(&config(&[("idle", idle.url().as_str()), ("active", active.url().as_str())]));
    let engine = sandbox.start().await;
    sign_in(&engine, &idle_id).await.unwrap();
    sign_in(&engine, &active_id).await.unwrap();
    engine.disconnect(&idle_id).await.unwrap();
    sleep_for(&sandbox, &[&idle, &active], LIFETIME * 2);
    until_refreshed(&active, 1).await;
    assert_eq!(idle.token_requests("refresh_token"), 0);
    engine.connect(&idle_id).await.unwrap();
    until(&engine, &idle_id, is_connected).await;
    assert_eq!(idle.token_requests("refresh_token"), 1);

    engine.pause_all().await;
    active.forget_requests();
    sleep_for(&sandbox, &[&idle, &active], LIFETIME * 2);
    engine.reconnect_all();
    engine.resume_all().await;
    until(&engine, &active_id, is_connected).await;
    assert_eq!(active.token_requests("refresh_token"), 1);
    engine.stop().await;
}

#[tokio::test]
async fn a_grant_that_lacks_scopes_is_kept() {
    let (sandbox, demo) = (Sandbox::new(), demo_with_lifetime(LIFETIME).await);
    let engine = signed_in(&sandbox, &demo).await;
    demo.set_list_fault(Some(ListFault::MorePermissionNeeded));
    engine.connect(&id()).await.unwrap();
    let more = Status::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded };
    until(&engine, &id(), |view| view.status == more).await;
    sleep_for(&sandbox, &[&demo], LIFETIME * 95 / 100);
    until_refreshed(&demo, 1).await;
    assert_eq!(engine.server(&id()).unwrap().status, more);
    demo.set_list_fault(None);
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert_eq!(demo.token_requests("authorization_code"), 1);

    // When the service revokes the grant, the status shows it.
    demo.set_list_fault(Some(ListFault::MorePermissionNeeded));
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), |view| view.status == more).await;
    demo.revoke_everything();
    sleep_for(&sandbox, &[&demo], LIFETIME);
    let view = until(&engine, &id(), |view| view.status != more).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Expired });
    engine.stop().await;
}

fn sleep_for(sandbox: &Sandbox, demos: &[&Demo], time: Duration) {
    sandbox.clock.advance(time);
    demos.iter().for_each(|demo| demo.advance_clock(time));
}

#[tokio::test]
async fn a_revocation_is_noticed_without_a_caller() {
    let (sandbox, demo) = (Sandbox::new(), demo_with_lifetime(Duration::from_secs(3)).await);
    let engine = signed_in(&sandbox, &demo).await;
    demo.revoke_everything();
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Expired });
    assert_eq!(demo.token_requests("refresh_token"), 1);
    engine.stop().await;
}

#[tokio::test]
async fn retry_after_is_respected() {
    let (sandbox, demo) = (Sandbox::new(), demo_with_lifetime(Duration::from_secs(6)).await);
    let engine = signed_in(&sandbox, &demo).await;
    demo.add_token_fault(TokenFault::TooManyRequests { retry_after: 3 });
    until_refreshed(&demo, 1).await;
    let rejected = Instant::now();
    // Neither a wake nor a returned network shortens the wait.
    engine.reconnect_all();
    engine.reconnect_all();
    until_refreshed(&demo, 2).await;
    assert!(rejected.elapsed() > Duration::from_millis(2800), "{:?}", rejected.elapsed());
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_returned_network_ends_the_backoff() {
    let (sandbox, demo) = (Sandbox::new(), demo_with_lifetime(LIFETIME).await);
    let engine = signed_in(&sandbox, &demo).await;
    for _ in 0..4 {
        demo.add_token_fault(TokenFault::ServerError);
    }
    sleep_for(&sandbox, &[&demo], LIFETIME * 95 / 100);
    // After four failures in a row, the backoff is at least six seconds.
    until_refreshed(&demo, 4).await;
    let failed = Instant::now();
    engine.reconnect_all();
    until_refreshed(&demo, 5).await;
    assert!(failed.elapsed() < Duration::from_secs(5), "{:?}", failed.elapsed());
    assert!(is_connected(&engine.server(&id()).unwrap()));
    engine.stop().await;
}

#[tokio::test]
async fn a_lost_response_is_not_reported_as_an_expired_sign_in() {
    let (sandbox, demo) = (Sandbox::new(), demo_with_lifetime(Duration::from_secs(3)).await);
    let engine = signed_in(&sandbox, &demo).await;
    demo.add_token_fault(TokenFault::ResponseLost);
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::RefreshInterrupted });
    assert_eq!(demo.token_requests("refresh_token"), 2, "one retry");
    engine.stop().await;
}

#[tokio::test]
async fn a_lost_response_is_recovered_within_a_grace_period() {
    let (sandbox, demo) = (Sandbox::new(), {
        let options = DemoOptions {
            life: Duration::from_secs(20),
            refresh_grace: Duration::from_secs(5),
            ..DemoOptions::default()
        };
        Demo::start(options).await.unwrap()
    });
    let engine: Engine = signed_in(&sandbox, &demo).await;
    demo.add_token_fault(TokenFault::ResponseLost);
    sleep_for(&sandbox, &[&demo], Duration::from_secs(19));
    until_refreshed(&demo, 2).await;
    sleep_for(&sandbox, &[&demo], Duration::from_secs(19));
    until_refreshed(&demo, 3).await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}
