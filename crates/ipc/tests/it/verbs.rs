//! Requests to the engine from another process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use usher_api::{Event, NeedsSignIn, Reply, Request, ServerId, ServerVerb, Status};
use usher_ipc::{AskError, Client, Holder, HolderKind, JoinOptions, Servers, Update};

use crate::fixture::*;

#[tokio::test]
async fn a_client_signs_in_lists_tools_calls_one_and_signs_out() {
    let fixture = Fixture::new().await;
    let held = fixture.hold().await;
    let client = fixture.connect().await.unwrap();
    assert_eq!(client.holder(), HolderKind::Command);
    wait_for_server(&client, needs_sign_in).await;

    sign_in_through(&client).await;
    // The events that a request causes arrive before its reply.
    assert!(is_connected(&client.server(&id()).unwrap()));
    assert_eq!(client.snapshot().unwrap(), held.engine.snapshot());
    let Reply::Tools(tools) = client.ask(Request::server(&id(), ServerVerb::Tools)).await.unwrap() else {
        panic!("not a list of tools")
    };
    assert_eq!(tools, held.engine.tools(&id()).await.unwrap());
    let found = client.ask(call("search_pages", r#"{ "query": "tea" }"#, "one")).await.unwrap();
    assert!(matches!(found, Reply::ToolCall(found) if !found.is_error));

    client.ask(Request::server(&id(), ServerVerb::SignOut)).await.unwrap();
    let view = client.server(&id()).unwrap();
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::SignedOut });
    assert_eq!(client.snapshot().unwrap(), held.engine.snapshot());
}

#[tokio::test]
async fn progress_arrives_and_a_call_can_be_cancelled() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold_signed_in().await;
    let client = fixture.connect().await.unwrap();
    let mut updates = client.subscribe();
    let slow = client.ask(call("slow_task", r#"{ "steps": 100, "millis": 50 }"#, "slow"));
    let cancel_at_progress = async {
        loop {
            if let Update::Event(event) = updates.recv().await.unwrap()
                && let Event::CallProgressed { call, total, .. } = *event
            {
                assert_eq!((call.as_str(), total), ("slow", Some(100.0)));
                client.ask(Request::CancelCall { call }).await.unwrap();
                std::future::pending::<()>().await;
            }
        }
    };
    let outcome = tokio::time::timeout(DEADLINE, async {
        tokio::select! { outcome = slow => outcome, () = cancel_at_progress => unreachable!() }
    });
    let Err(AskError::Failed(error)) = outcome.await.unwrap() else { panic!("not cancelled") };
    assert!(error.message.contains("cancelled"), "{error:?}");
    wait_until("the task has stopped", || fixture.demo.running_tasks() == 0).await;
}

#[tokio::test]
async fn the_longest_timeout_does_not_overflow() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold_signed_in().await;
    let client = fixture.connect().await.unwrap();
    let mut request = call("search_pages", r#"{ "query": "tea" }"#, "patient");
    let Request::CallTool { idle_timeout_seconds, .. } = &mut request else { unreachable!() };
    *idle_timeout_seconds = u64::MAX;
    let answer = tokio::time::timeout(DEADLINE, client.ask(request)).await.unwrap();
    assert!(matches!(answer, Ok(Reply::ToolCall(_))), "{answer:?}");
}

#[tokio::test]
async fn a_client_that_disconnects_cancels_its_call() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold_signed_in().await;
    let client = fixture.connect().await.unwrap();
    let asking = tokio::spawn(async move {
        client.ask(call("slow_task", r#"{ "steps": 100, "millis": 200 }"#, "slow")).await
    });
    wait_until("the task is running", || fixture.demo.running_tasks() == 1).await;
    asking.abort();
    wait_until("the task has stopped", || fixture.demo.running_tasks() == 0).await;
}

#[tokio::test]
async fn a_second_process_hands_over_its_callback() {
    let fixture = Fixture::new().await;
    let held = fixture.hold().await;
    let client = fixture.connect().await.unwrap();
    let request = begin_sign_in(&client).await;

    let second = Client::connect(&fixture.path("run"), JoinOptions::default()).await.unwrap();
    let forged = "dev.usher.desktop:/oauth/callback?code=a&state=b".to_owned();
    let refused = second.ask(Request::HandOverCallback { address: forged }).await;
    assert!(matches!(refused, Err(AskError::Failed(_))));
    assert!(matches!(held.engine.server(&id()).unwrap().status, Status::SigningIn { .. }));

    let address = approve(&request).await;
    assert_eq!(second.ask(Request::HandOverCallback { address }).await, Ok(Reply::Done));
    drop(second);
    wait_for_server(&client, is_connected).await;
}

#[tokio::test]
async fn the_window_is_shown_if_there_is_one() {
    let fixture = Fixture::new().await;
    let shown = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&shown);
    let show_window = Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let held = fixture.hold_as(Holder::App { show_window }).await;
    let client = fixture.connect().await.unwrap();
    assert_eq!(client.holder(), HolderKind::App);
    assert_eq!(client.ask(Request::ShowWindow).await, Ok(Reply::Done));
    assert_eq!(shown.load(Ordering::SeqCst), 1);
    drop(held.server);
    held.engine.stop().await;

    let _held = fixture.hold().await;
    let client = fixture.connect().await.unwrap();
    assert!(matches!(client.ask(Request::ShowWindow).await, Err(AskError::Failed(_))));
}

#[tokio::test]
async fn a_client_gets_the_servers_that_it_names() {
    let fixture = Fixture::new().await;
    let held = fixture.hold().await;
    let ids = |client: &Client| -> Vec<String> {
        client.snapshot().unwrap().servers.into_iter().map(|view| view.id.0).collect()
    };
    assert_eq!(ids(&fixture.connect().await.unwrap()), ["demo"]);
    let other = Servers::Named(vec![ServerId("other".to_owned())]);
    let join_options = JoinOptions { servers: other, ..fixture.join_options() };
    let client = Client::connect(&fixture.path("run"), join_options).await.unwrap();
    assert_eq!(ids(&client), ["demo", "other"]);
    assert_eq!(held.engine.snapshot().servers.len(), 2);
}

#[tokio::test]
async fn every_client_sees_a_server_being_added_and_removed() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold().await;
    let join_options = JoinOptions { servers: Servers::All, ..fixture.join_options() };
    let (one, two) = (
        Client::connect(&fixture.path("run"), join_options.clone()).await.unwrap(),
        Client::connect(&fixture.path("run"), join_options).await.unwrap(),
    );
    let server = ServerId("third".to_owned());
    let added = usher_api::NewServer {
        name: Some("third".to_owned()),
        url: fixture.demo.url().to_string(),
        ..usher_api::NewServer::default()
    };
    assert_eq!(one.ask(Request::Add(Box::new(added))).await, Ok(Reply::Server(server.clone())));
    let mut updates = two.subscribe();
    while two.server(&server).is_none() {
        tokio::time::timeout(DEADLINE, updates.recv()).await.unwrap().unwrap();
    }
    one.ask(Request::server(&server, ServerVerb::Remove)).await.unwrap();
    while two.server(&server).is_some() {
        tokio::time::timeout(DEADLINE, updates.recv()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_request_that_panics_gets_a_reply() {
    let fixture = Fixture::new().await;
    let show_window = Box::new(|| panic!("the window cannot be shown"));
    let _held = fixture.hold_as(Holder::App { show_window }).await;
    let client = fixture.connect().await.unwrap();
    match tokio::time::timeout(DEADLINE, client.ask(Request::ShowWindow)).await.unwrap() {
        Err(AskError::Failed(error)) => assert!(error.message.contains("Internal error"), "{error:?}"),
        other => panic!("{other:?}"),
    }
    client.ask(Request::Snapshot).await.unwrap();
}
