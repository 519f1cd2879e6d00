//! The end of a holder, for its clients and its successor.

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::time::Duration;

use usher_api::{Reply, Request, ServerVerb};
use usher_engine::{Engine, StartError};
use usher_ipc::{AskError, ConnectError};
use usher_secrets::private_files::{create_private, ensure_private_dir};

use crate::fixture::*;

#[tokio::test]
async fn a_holder_finishes_a_call_before_it_ends_and_meanwhile_serves_other_clients() {
    let fixture = Fixture::new().await;
    let held = fixture.hold_signed_in().await;
    let (caller, lister) = (fixture.connect().await.unwrap(), fixture.connect().await.unwrap());
    let calling = tokio::spawn(async move {
        let outcome = caller.ask(call("slow_task", r#"{ "steps": 20, "millis": 20 }"#, "slow")).await;
        (caller, outcome)
    });
    wait_until("the task is running", || fixture.demo.running_tasks() == 1).await;
    let ending = tokio::spawn(held.server.finish());
    let listed = lister.ask(Request::server(&id(), ServerVerb::Tools)).await;
    assert!(matches!(listed, Ok(Reply::Tools(_))), "{listed:?}");
    let late = fixture.connect().await.unwrap();
    assert!(!ending.is_finished());

    let (caller, outcome) = calling.await.unwrap();
    assert!(matches!(outcome, Ok(Reply::ToolCall(_))), "{outcome:?}");
    ending.await.unwrap();
    // Later requests are known not to have started.
    for client in [caller, lister, late] {
        assert_eq!(client.ask(call("create_page", "{}", "late")).await, Err(AskError::Ended));
    }
    assert!(matches!(fixture.connect().await, Err(ConnectError::NotRunning)));
    assert!(!fixture.path("run/engine.sock").exists());
    held.engine.stop().await;
    fixture.hold().await;
}

#[tokio::test]
async fn a_holder_stays_for_a_sign_in_that_a_client_began() {
    let fixture = Fixture::new().await;
    let held = fixture.hold().await;
    let client = fixture.connect().await.unwrap();
    let request = begin_sign_in(&client).await;
    let ending = tokio::spawn(held.server.finish());
    let address = approve(&request).await;
    client.ask(Request::CompleteSignIn { address }).await.unwrap();
    assert!(is_connected(&client.server(&id()).unwrap()));
    assert!(!ending.is_finished());
    drop(client);
    tokio::time::timeout(DEADLINE, ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn clients_cannot_keep_a_holder_running() {
    let fixture = Fixture::new().await;
    let held = fixture.hold_signed_in().await;
    let (first, second) = (fixture.connect().await.unwrap(), fixture.connect().await.unwrap());
    let long = tokio::spawn(async move {
        first.ask(call("slow_task", r#"{ "steps": 100, "millis": 40 }"#, "long")).await
    });
    wait_until("the task is running", || fixture.demo.running_tasks() == 1).await;
    let ending = tokio::spawn(held.server.finish());
    // The holder accepts new work for a grace period, then none.
    let mut number = 0;
    let refused = loop {
        number += 1;
        match second.ask(call("search_pages", r#"{ "query": "tea" }"#, &format!("call-{number}"))).await {
            Ok(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            Err(error) => break error,
        }
    };
    assert_eq!(refused, AskError::NotStarted);
    assert!(matches!(long.await.unwrap(), Ok(Reply::ToolCall(_))));
    tokio::time::timeout(DEADLINE, ending).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_holder_that_disappears_is_noticed() {
    let fixture = Fixture::new().await;
    let held = fixture.hold_signed_in().await;
    let client = fixture.connect().await.unwrap();
    let mut updates = client.subscribe();
    let asking = tokio::spawn(async move {
        let outcome = client.ask(call("slow_task", r#"{ "steps": 100, "millis": 200 }"#, "slow")).await;
        (client, outcome)
    });
    wait_until("the task is running", || fixture.demo.running_tasks() == 1).await;
    drop(held.server);
    let (client, outcome) = asking.await.unwrap();
    assert_eq!(outcome, Err(AskError::OutcomeUnknown), "the tool may have run");
    assert_eq!(client.ask(Request::Snapshot).await, Err(AskError::Ended));
    let closed = async { while updates.recv().await.is_ok() {} };
    tokio::time::timeout(DEADLINE, closed).await.unwrap();
}

#[tokio::test]
async fn a_holder_that_ends_while_a_client_connects_counts_as_not_running() {
    let fixture = Fixture::new().await;
    let run = fixture.path("run");
    ensure_private_dir(&run).unwrap();
    for round in 0..200 {
        let listener = UnixListener::bind(run.join("engine.sock")).unwrap();
        let connecting = async {
            let outcome = fixture.connect().await;
            assert!(matches!(outcome, Err(ConnectError::NotRunning)), "{:?}", outcome.err());
        };
        // The listener never accepts, and closes after a varying delay.
        let ending = async {
            for _ in 0..round % 5 {
                tokio::task::yield_now().await;
            }
            drop(listener);
        };
        tokio::join!(connecting, ending);
        std::fs::remove_file(run.join("engine.sock")).unwrap();
    }
}

#[tokio::test]
async fn only_one_process_holds_the_engine_and_the_files_of_a_killed_holder_are_replaced() {
    let fixture = Fixture::new().await;
    ensure_private_dir(&fixture.path("run")).unwrap();
    // A killed holder leaves its lock file and its socket behind; the system releases the lock.
    create_private(&fixture.path("run/engine.lock")).unwrap().write_all(b"4194304\n").unwrap();
    drop(UnixListener::bind(fixture.path("run/engine.sock")).unwrap());
    assert!(fixture.path("run/engine.sock").exists());
    assert!(matches!(fixture.connect().await, Err(ConnectError::NotRunning)));

    let held = fixture.hold().await;
    fixture.connect().await.unwrap();
    match Engine::start(fixture.options()).await {
        Err(StartError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a second engine started"),
    }
    drop(held.server);
    held.engine.stop().await;
    assert!(!fixture.path("run/engine.sock").exists());
}
