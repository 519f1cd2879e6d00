//! Everything that the window can do, done from another process.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use usher_api::{Event, NeedsSignIn, Reply, Request, ServerId, ServerVerb, Status};
use usher_ipc::{AskError, Client, Holder, HolderKind, Opening, Servers, Update};

use crate::fixture::*;

#[tokio::test]
async fn a_sign_in_a_list_a_call_and_a_sign_out() {
    let place = Place::new().await;
    let held = place.hold().await;
    let client = place.connect().await.unwrap();
    assert_eq!(client.holder(), HolderKind::Command);
    until(&client, needs_sign_in).await;

    sign_in_through(&client).await;
    // The reply comes after the events that led to it.
    assert!(is_connected(&client.server(&id()).unwrap()));
    assert_eq!(client.snapshot().unwrap(), held.engine.snapshot());
    let Reply::Tools(tools) = client.ask(Request::server(&id(), ServerVerb::Tools)).await.unwrap() else {
        panic!("tools")
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
async fn progress_is_told_and_a_cancel_is_heard() {
    let place = Place::new().await;
    let _held = place.hold_signed_in().await;
    let client = place.connect().await.unwrap();
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
    let outcome = tokio::time::timeout(PATIENCE, async {
        tokio::select! { outcome = slow => outcome, () = cancel_at_progress => unreachable!() }
    });
    let Err(AskError::Refused(error)) = outcome.await.unwrap() else { panic!("cancelled") };
    assert!(error.message.contains("cancelled"), "{error:?}");
    eventually("the task has stopped", || place.demo.running_tasks() == 0).await;
}

#[tokio::test]
async fn no_patience_is_too_long_for_an_answer() {
    let place = Place::new().await;
    let _held = place.hold_signed_in().await;
    let client = place.connect().await.unwrap();
    let mut request = call("search_pages", r#"{ "query": "tea" }"#, "patient");
    let Request::CallTool { silence_seconds, .. } = &mut request else { unreachable!() };
    *silence_seconds = u64::MAX;
    let answer = tokio::time::timeout(PATIENCE, client.ask(request)).await.unwrap();
    assert!(matches!(answer, Ok(Reply::ToolCall(_))), "{answer:?}");
}

#[tokio::test]
async fn who_hangs_up_gives_the_call_up() {
    let place = Place::new().await;
    let _held = place.hold_signed_in().await;
    let client = place.connect().await.unwrap();
    let asking = tokio::spawn(async move {
        client.ask(call("slow_task", r#"{ "steps": 100, "millis": 200 }"#, "slow")).await
    });
    eventually("the task runs", || place.demo.running_tasks() == 1).await;
    asking.abort();
    eventually("the task has stopped", || place.demo.running_tasks() == 0).await;
}

#[tokio::test]
async fn a_second_process_hands_its_link_over() {
    let place = Place::new().await;
    let held = place.hold().await;
    let client = place.connect().await.unwrap();
    let request = begin_sign_in(&client).await;

    let second = Client::connect(&place.path("run"), Opening::default()).await.unwrap();
    let forged = "dev.usher.desktop:/oauth/callback?code=a&state=b".to_owned();
    let refused = second.ask(Request::HandOverLink { address: forged }).await;
    assert!(matches!(refused, Err(AskError::Refused(_))));
    assert!(matches!(held.engine.server(&id()).unwrap().status, Status::SigningIn { .. }));

    let address = decide(&request).await;
    assert_eq!(second.ask(Request::HandOverLink { address }).await, Ok(Reply::Done));
    drop(second);
    until(&client, is_connected).await;
}

#[tokio::test]
async fn the_window_comes_where_there_is_one() {
    let place = Place::new().await;
    let shown = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&shown);
    let show_window = Box::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
    });
    let held = place.hold_as(Holder::App { show_window }).await;
    let client = place.connect().await.unwrap();
    assert_eq!(client.holder(), HolderKind::App);
    assert_eq!(client.ask(Request::ShowWindow).await, Ok(Reply::Done));
    assert_eq!(shown.load(Ordering::SeqCst), 1);
    drop(held.server);
    held.engine.stop().await;

    let _held = place.hold().await;
    let client = place.connect().await.unwrap();
    assert!(matches!(client.ask(Request::ShowWindow).await, Err(AskError::Refused(_))));
}

#[tokio::test]
async fn a_client_gets_the_servers_that_it_asks_for() {
    let place = Place::new().await;
    let held = place.hold().await;
    let ids = |client: &Client| -> Vec<String> {
        client.snapshot().unwrap().servers.into_iter().map(|view| view.id.0).collect()
    };
    assert_eq!(ids(&place.connect().await.unwrap()), ["demo"]);
    let other = Servers::These(vec![ServerId("other".to_owned())]);
    let opening = Opening { servers: other, ..place.opening() };
    let client = Client::connect(&place.path("run"), opening).await.unwrap();
    assert_eq!(ids(&client), ["demo", "other"]);
    assert_eq!(held.engine.snapshot().servers.len(), 2);
}

#[tokio::test]
async fn a_server_that_is_added_and_taken_out_is_seen_by_everybody() {
    let place = Place::new().await;
    let _held = place.hold().await;
    let opening = Opening { servers: Servers::All, ..place.opening() };
    let (one, two) = (
        Client::connect(&place.path("run"), opening.clone()).await.unwrap(),
        Client::connect(&place.path("run"), opening).await.unwrap(),
    );
    let server = ServerId("third".to_owned());
    let added = usher_api::NewServer {
        name: Some("third".to_owned()),
        url: place.demo.url().to_string(),
        ..usher_api::NewServer::default()
    };
    assert_eq!(one.ask(Request::Add(added)).await, Ok(Reply::Server(server.clone())));
    let mut updates = two.subscribe();
    while two.server(&server).is_none() {
        tokio::time::timeout(PATIENCE, updates.recv()).await.unwrap().unwrap();
    }
    one.ask(Request::server(&server, ServerVerb::Remove)).await.unwrap();
    while two.server(&server).is_some() {
        tokio::time::timeout(PATIENCE, updates.recv()).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn who_asks_is_answered_whatever_happens_over_it() {
    let place = Place::new().await;
    let show_window = Box::new(|| panic!("the window is made of glass"));
    let _held = place.hold_as(Holder::App { show_window }).await;
    let client = place.connect().await.unwrap();
    match tokio::time::timeout(PATIENCE, client.ask(Request::ShowWindow)).await.unwrap() {
        Err(AskError::Refused(error)) => assert!(error.message.contains("mistake"), "{error:?}"),
        other => panic!("{other:?}"),
    }
    client.ask(Request::Snapshot).await.unwrap();
}
