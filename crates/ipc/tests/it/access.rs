//! Access to the engine: the first process holds it, commands join it, and the app waits for it.

use std::sync::Arc;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;
use usher_engine::StartError;
use usher_ipc::{Access, Holder, HolderKind, Server};

use crate::fixture::*;

#[tokio::test]
async fn the_first_command_holds_the_engine_and_the_second_joins() {
    let fixture = Fixture::new().await;
    let open = async || Access::open(&fixture.options(), &fixture.join_options()).await.unwrap();
    let Access::Held(engine) = open().await else { panic!("not held") };
    let server = Server::start(engine.clone(), Holder::Command).unwrap();
    let Access::Joined(client) = open().await else { panic!("a second engine started") };
    wait_for_server(&client, needs_sign_in).await;
    drop(server);
    engine.stop().await;
    assert!(matches!(open().await, Access::Held(_)));
}

#[tokio::test]
async fn the_app_waits_for_a_command_but_not_for_a_second_app() {
    let fixture = Fixture::new().await;
    let held = fixture.hold().await;
    let options = fixture.options();
    let (on_wait, waits) = oneshot::channel();
    let holding = tokio::spawn(async move {
        Access::hold(&options, HolderKind::App, move |pid| on_wait.send(pid).unwrap()).await.unwrap()
    });
    assert_eq!(timeout(DEADLINE, waits).await.unwrap().unwrap(), Some(std::process::id()));
    drop(held.server);
    held.engine.stop().await;
    let engine = timeout(DEADLINE, holding).await.unwrap().unwrap();

    let _server = Server::start(engine, Holder::App { show_window: Box::new(|| ()) }).unwrap();
    let second = Access::hold(&fixture.options(), HolderKind::App, |_| panic!("waited for an app")).await;
    assert!(matches!(second, Err(StartError::Held { .. })));
}

#[tokio::test]
async fn usher_serve_makes_room_for_the_app_but_not_for_another_usher_serve() {
    let fixture = Fixture::new().await;
    let engine = Access::hold(&fixture.options(), HolderKind::Serve, |_| ()).await.unwrap();
    let yielded = Arc::new(Notify::new());
    let yield_now = Arc::clone(&yielded);
    let yield_now = Box::new(move || yield_now.notify_one());
    let server = Server::start(engine.clone(), Holder::Serve { yield_now }).unwrap();
    let second = Access::hold(&fixture.options(), HolderKind::Serve, |_| ()).await;
    assert!(matches!(second, Err(StartError::Held { .. })));

    let options = fixture.options();
    let holding = tokio::spawn(async move { Access::hold(&options, HolderKind::App, |_| ()).await });
    timeout(DEADLINE, yielded.notified()).await.unwrap();
    server.finish().await;
    engine.stop().await;
    timeout(DEADLINE, holding).await.unwrap().unwrap().unwrap();
}
