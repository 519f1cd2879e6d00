//! How a holder ends, and what its clients and its successor find.

use std::os::unix::net::UnixListener;
use std::time::Duration;

use usher_api::{Reply, Request, ServerVerb};
use usher_engine::{Engine, StartError};
use usher_ipc::{AskError, ConnectError};

use crate::fixture::*;

#[tokio::test]
async fn a_holder_finishes_a_call_before_it_ends_and_serves_meanwhile() {
    let place = Place::new().await;
    let held = place.hold_signed_in().await;
    let (caller, lister) = (place.connect().await.unwrap(), place.connect().await.unwrap());
    let calling = tokio::spawn(async move {
        let outcome = caller.ask(call("slow_task", r#"{ "steps": 20, "millis": 20 }"#, "slow")).await;
        (caller, outcome)
    });
    eventually("the task runs", || place.demo.running_tasks() == 1).await;
    let ending = tokio::spawn(held.server.finish());
    let listed = lister.ask(Request::server(&id(), ServerVerb::Tools)).await;
    assert!(matches!(listed, Ok(Reply::Tools(_))), "{listed:?}");
    let late = place.connect().await.unwrap();
    assert!(!ending.is_finished());

    let (caller, outcome) = calling.await.unwrap();
    assert!(matches!(outcome, Ok(Reply::ToolCall(_))), "{outcome:?}");
    ending.await.unwrap();
    // Whoever asks now knows that nothing was begun.
    for client in [caller, lister, late] {
        assert_eq!(client.ask(call("create_page", "{}", "late")).await, Err(AskError::Gone));
    }
    assert!(matches!(place.connect().await, Err(ConnectError::NotRunning)));
    assert!(!place.path("run/engine.sock").exists());
    held.engine.stop().await;
    place.hold().await;
}

#[tokio::test]
async fn a_holder_stays_for_a_sign_in_that_a_client_began() {
    let place = Place::new().await;
    let held = place.hold().await;
    let client = place.connect().await.unwrap();
    let request = begin_sign_in(&client).await;
    let ending = tokio::spawn(held.server.finish());
    let address = decide(&request).await;
    client.ask(Request::CompleteSignIn { address }).await.unwrap();
    assert!(is_connected(&client.server(&id()).unwrap()));
    assert!(!ending.is_finished());
    drop(client);
    tokio::time::timeout(PATIENCE, ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn nobody_keeps_a_holder_for_ever() {
    let place = Place::new().await;
    let held = place.hold_signed_in().await;
    let (first, second) = (place.connect().await.unwrap(), place.connect().await.unwrap());
    let long = tokio::spawn(async move {
        first.ask(call("slow_task", r#"{ "steps": 100, "millis": 40 }"#, "long")).await
    });
    eventually("the task runs", || place.demo.running_tasks() == 1).await;
    let ending = tokio::spawn(held.server.finish());
    // It takes on new work for a moment, and then none.
    let mut number = 0;
    let refused = loop {
        number += 1;
        match second.ask(call("search_pages", r#"{ "query": "tea" }"#, &format!("call-{number}"))).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, AskError::Moved);
    assert!(matches!(long.await.unwrap(), Ok(Reply::ToolCall(_))));
    tokio::time::timeout(PATIENCE, ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_holder_that_breaks_off_is_noticed() {
    let place = Place::new().await;
    let held = place.hold_signed_in().await;
    let client = place.connect().await.unwrap();
    let mut updates = client.subscribe();
    let asking = tokio::spawn(async move {
        let outcome = client.ask(call("slow_task", r#"{ "steps": 100, "millis": 200 }"#, "slow")).await;
        (client, outcome)
    });
    eventually("the task runs", || place.demo.running_tasks() == 1).await;
    drop(held.server);
    let (client, outcome) = asking.await.unwrap();
    assert_eq!(outcome, Err(AskError::Lost), "it may have done its work");
    assert_eq!(client.ask(Request::Snapshot).await, Err(AskError::Gone));
    let closed = async { while updates.recv().await.is_ok() {} };
    tokio::time::timeout(PATIENCE, closed).await.unwrap();
}

#[tokio::test]
async fn a_holder_that_ends_while_somebody_knocks_is_none() {
    let place = Place::new().await;
    let run = place.path("run");
    std::fs::create_dir(&run).unwrap();
    make_private(&run);
    for round in 0..200 {
        let knocked_at = UnixListener::bind(run.join("engine.sock")).unwrap();
        let knocking = async {
            let outcome = place.connect().await;
            assert!(matches!(outcome, Err(ConnectError::NotRunning)), "{:?}", outcome.err());
        };
        // Never accepted, and gone a little sooner or later.
        let ending = async {
            for _ in 0..round % 5 {
                tokio::task::yield_now().await;
            }
            drop(knocked_at);
        };
        tokio::join!(knocking, ending);
        std::fs::remove_file(run.join("engine.sock")).unwrap();
    }
}

#[tokio::test]
async fn only_one_holds_and_what_a_killed_one_leaves_is_cleared_away() {
    let place = Place::new().await;
    std::fs::create_dir(place.path("run")).unwrap();
    make_private(&place.path("run"));
    // A killed holder leaves its lock's file and its socket behind, and the system gives the lock back.
    std::fs::write(place.path("run/engine.lock"), "4194304\n").unwrap();
    make_private_file(&place.path("run/engine.lock"));
    drop(UnixListener::bind(place.path("run/engine.sock")).unwrap());
    assert!(place.path("run/engine.sock").exists());
    assert!(matches!(place.connect().await, Err(ConnectError::NotRunning)));

    let held = place.hold().await;
    place.connect().await.unwrap();
    match Engine::start(place.options()).await {
        Err(StartError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a second one"),
    }
    drop(held.server);
    held.engine.stop().await;
    assert!(!place.path("run/engine.sock").exists());
}

fn make_private(folder: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}

fn make_private_file(file: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}
