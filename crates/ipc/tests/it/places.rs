//! Where a holder listens: far down, or not at all.

use usher_ipc::{Client, ConnectError};

use crate::fixture::*;

/// Other systems have no way through an open folder.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_whose_path_is_too_long_for_a_socket_is_reached() {
    use usher_api::Request;
    use usher_engine::{Engine, EngineOptions};
    use usher_ipc::{Holder, Server};

    let place = Place::new().await;
    let run = place.path(&["a folder with a name of forty characters"; 4].join("/"));
    let options = EngineOptions { runtime_dir: run.clone(), ..place.options() };
    for _ in 0..2 {
        let engine = Engine::start(options.clone()).await.unwrap();
        let server = Server::start(engine.clone(), Holder::Command).unwrap();
        let client = Client::connect(&run, place.opening()).await.unwrap();
        client.ask(Request::Snapshot).await.unwrap();
        assert!(run.join("engine.sock").exists());
        drop(server);
        engine.stop().await;
        assert!(!run.join("engine.sock").exists());
    }
}

#[tokio::test]
async fn who_looks_for_a_holder_makes_no_folder() {
    let place = Place::new().await;
    let gone = place.path("ended/session/usher");
    assert!(matches!(Client::connect(&gone, place.opening()).await, Err(ConnectError::NotRunning)));
    assert!(!place.path("ended").exists());
}

#[tokio::test]
async fn who_has_another_runtime_folder_finds_the_holder_by_its_state() {
    let place = Place::new().await;
    let find = async || Client::find(&place.path("state"), &place.path("no session"), place.opening()).await;
    assert!(matches!(find().await, Err(ConnectError::NotRunning)));
    let held = place.hold().await;
    assert!(find().await.is_ok());
    assert!(!place.path("no session").exists());
    drop(held.server);
    held.engine.stop().await;
    // What the lock says of the holder before is no holder.
    assert!(matches!(find().await, Err(ConnectError::NotRunning)));
}
