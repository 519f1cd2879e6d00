//! Renewing a sign-in that nobody asks for: ahead of its end, after a sleep, and not while it rests.

use std::time::{Duration, Instant};

use usher_api::{NeedsSignIn, ServerId, Status};
use usher_demo::{Demo, DemoOptions, ListFault, TokenFault};
use usher_engine::Engine;

use crate::fixture::*;

const LIFE: Duration = Duration::from_secs(100);

async fn demo_of(life: Duration) -> Demo {
    Demo::start(DemoOptions { life, ..DemoOptions::default() }).await.unwrap()
}

async fn until_renewed(demo: &Demo, times: usize) {
    let wait = async {
        while demo.token_requests("refresh_token") < times {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, wait).await.is_err() {
        panic!("it was never renewed: {:#?}", ledger(demo));
    }
}

#[tokio::test]
async fn a_token_is_renewed_again_and_again_though_nobody_asks() {
    let (place, demo) = (Place::new(), demo_of(Duration::from_secs(3)).await);
    let engine = signed_in(&place, &demo).await;
    demo.forget_requests();
    let begun = Instant::now();
    until_renewed(&demo, 2).await;
    assert!(begun.elapsed() > Duration::from_secs(4), "not much ahead of its end");
    let requests = ledger(&demo);
    assert_eq!(requests.iter().filter(|request| *request == "POST /token refresh_token 200").count(), 2);
    assert!(!requests.iter().any(|request| request.contains(" 401") || request.contains("tools/call")));
    assert!(is_connected(&engine.server(&id()).unwrap()));
    engine.stop().await;
}

#[tokio::test]
async fn after_a_sleep_what_came_due_is_renewed_at_once() {
    let (place, demo) = (Place::new(), demo_of(LIFE).await);
    let engine = signed_in(&place, &demo).await;
    // The time of day goes on by an hour; no timer has seen it.
    place.clock.advance(Duration::from_secs(3600));
    demo.advance_clock(Duration::from_secs(3600));
    until_renewed(&demo, 1).await;
    assert!(!ledger(&demo)[1..].iter().any(|request| request.contains(" 401")), "no expired token was sent");
    engine.stop().await;
}

#[tokio::test]
async fn what_rests_is_not_renewed() {
    let (place, resting, working) = (Place::new(), demo_of(LIFE).await, demo_of(LIFE).await);
    let (rests, works) = (ServerId("rests".to_owned()), ServerId("works".to_owned()));
    place.write_config(&config(&[("rests", resting.url().as_str()), ("works", working.url().as_str())]));
    let engine = place.start().await;
    sign_in(&engine, &rests).await.unwrap();
    sign_in(&engine, &works).await.unwrap();
    engine.disconnect(&rests).await.unwrap();
    sleep_for(&place, &[&resting, &working], LIFE * 2);
    until_renewed(&working, 1).await;
    assert_eq!(resting.token_requests("refresh_token"), 0);
    engine.connect(&rests).await.unwrap();
    until(&engine, &rests, is_connected).await;
    assert_eq!(resting.token_requests("refresh_token"), 1);

    engine.pause_all().await;
    working.forget_requests();
    sleep_for(&place, &[&resting, &working], LIFE * 2);
    engine.reconnect_all();
    engine.resume_all().await;
    until(&engine, &works, is_connected).await;
    assert_eq!(working.token_requests("refresh_token"), 1);
    engine.stop().await;
}

#[tokio::test]
async fn a_sign_in_that_is_only_not_enough_is_kept() {
    let (place, demo) = (Place::new(), demo_of(LIFE).await);
    let engine = signed_in(&place, &demo).await;
    demo.set_list_fault(Some(ListFault::MorePermissionNeeded));
    engine.connect(&id()).await.unwrap();
    let more = Status::NeedsSignIn { reason: NeedsSignIn::MorePermissionNeeded };
    until(&engine, &id(), |view| view.status == more).await;
    sleep_for(&place, &[&demo], LIFE * 95 / 100);
    until_renewed(&demo, 1).await;
    assert_eq!(engine.server(&id()).unwrap().status, more);
    demo.set_list_fault(None);
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert_eq!(demo.token_requests("authorization_code"), 1);

    // And where the service ends it, that is what the person is told.
    demo.set_list_fault(Some(ListFault::MorePermissionNeeded));
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), |view| view.status == more).await;
    demo.revoke_everything();
    sleep_for(&place, &[&demo], LIFE);
    let view = until(&engine, &id(), |view| view.status != more).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Expired });
    engine.stop().await;
}

fn sleep_for(place: &Place, demos: &[&Demo], time: Duration) {
    place.clock.advance(time);
    demos.iter().for_each(|demo| demo.advance_clock(time));
}

#[tokio::test]
async fn the_end_of_a_sign_in_shows_though_nobody_asks() {
    let (place, demo) = (Place::new(), demo_of(Duration::from_secs(3)).await);
    let engine = signed_in(&place, &demo).await;
    demo.revoke_everything();
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Expired });
    assert_eq!(demo.token_requests("refresh_token"), 1);
    engine.stop().await;
}

#[tokio::test]
async fn an_outage_is_waited_out_as_long_as_the_server_asks() {
    let (place, demo) = (Place::new(), demo_of(Duration::from_secs(6)).await);
    let engine = signed_in(&place, &demo).await;
    demo.add_token_fault(TokenFault::TooManyRequests { retry_after: 3 });
    until_renewed(&demo, 1).await;
    let refused = Instant::now();
    // Neither a wake nor a network that came back is a reason to come earlier.
    engine.reconnect_all();
    engine.reconnect_all();
    until_renewed(&demo, 2).await;
    assert!(refused.elapsed() > Duration::from_millis(2800), "{:?}", refused.elapsed());
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_network_that_returns_ends_the_wait() {
    let (place, demo) = (Place::new(), demo_of(LIFE).await);
    let engine = signed_in(&place, &demo).await;
    for _ in 0..4 {
        demo.add_token_fault(TokenFault::ServerError);
    }
    sleep_for(&place, &[&demo], LIFE * 95 / 100);
    // Four failures in a row: by itself it would wait for six seconds and more.
    until_renewed(&demo, 4).await;
    let failed = Instant::now();
    engine.reconnect_all();
    until_renewed(&demo, 5).await;
    assert!(failed.elapsed() < Duration::from_secs(5), "{:?}", failed.elapsed());
    assert!(is_connected(&engine.server(&id()).unwrap()));
    engine.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_told_from_an_end() {
    let (place, demo) = (Place::new(), demo_of(Duration::from_secs(3)).await);
    let engine = signed_in(&place, &demo).await;
    demo.add_token_fault(TokenFault::ResponseLost);
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::RefreshInterrupted });
    assert_eq!(demo.token_requests("refresh_token"), 2, "once more, and no loop");
    engine.stop().await;
}

#[tokio::test]
async fn a_lost_answer_is_made_up_for_where_the_server_gives_a_moment() {
    let (place, demo) = (Place::new(), {
        let options = DemoOptions {
            life: Duration::from_secs(20),
            refresh_grace: Duration::from_secs(5),
            ..DemoOptions::default()
        };
        Demo::start(options).await.unwrap()
    });
    let engine: Engine = signed_in(&place, &demo).await;
    demo.add_token_fault(TokenFault::ResponseLost);
    sleep_for(&place, &[&demo], Duration::from_secs(19));
    until_renewed(&demo, 2).await;
    sleep_for(&place, &[&demo], Duration::from_secs(19));
    until_renewed(&demo, 3).await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}
