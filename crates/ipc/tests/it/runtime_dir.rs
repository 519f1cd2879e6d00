//! The folder in which a holder listens.

use usher_api::Request;
use usher_engine::{Engine, EngineOptions};
use usher_ipc::{Client, ConnectError, Holder, Server};

use crate::fixture::*;

/// The socket's path is longer than Linux (107 bytes) and macOS (103 bytes) accept.
#[tokio::test]
async fn a_folder_whose_path_is_too_long_for_a_socket_works() {
    let fixture = Fixture::new().await;
    let run = fixture.path(&["a folder with a name of forty characters"; 4].join("/"));
    let options = EngineOptions { runtime_dir: run.clone(), ..fixture.options() };
    for _ in 0..2 {
        let engine = Engine::start(options.clone()).await.unwrap();
        let server = Server::start(engine.clone(), Holder::Command).unwrap();
        let client = Client::connect(&run, fixture.join_options()).await.unwrap();
        client.ask(Request::Snapshot).await.unwrap();
        assert!(run.join("engine.sock").exists());
        drop(server);
        engine.stop().await;
        assert!(!run.join("engine.sock").exists());
    }
}

#[tokio::test]
async fn a_client_creates_no_folder() {
    let fixture = Fixture::new().await;
    let gone = fixture.path("ended/session/usher");
    assert!(matches!(Client::connect(&gone, fixture.join_options()).await, Err(ConnectError::NotRunning)));
    assert!(!fixture.path("ended").exists());
}

#[tokio::test]
async fn a_client_with_another_runtime_folder_finds_the_holder_by_its_state_folder() {
    let fixture = Fixture::new().await;
    let find = async || {
        Client::find(&fixture.path("state"), &fixture.path("no session"), fixture.join_options()).await
    };
    assert!(matches!(find().await, Err(ConnectError::NotRunning)));
    let held = fixture.hold().await;
    assert!(find().await.is_ok());
    assert!(!fixture.path("no session").exists());
    drop(held.server);
    held.engine.stop().await;
    // The lock file of an ended holder does not count as a running holder.
    assert!(matches!(find().await, Err(ConnectError::NotRunning)));
}
