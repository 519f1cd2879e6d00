//! Clients and messages that are refused, without harm to other clients.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use usher_api::{Request, ServerVerb};
use usher_ipc::{Client, ConnectError, Paths};

use crate::fixture::*;

/// The environment variable with the socket's path. It is set in the child process that runs as another user.
const OTHER_USER_SOCKET: &str = "USHER_TEST_OTHER_USER_SOCKET";

/// Sends raw bytes and returns every message that comes back.
async fn send(fixture: &Fixture, lines: &[u8]) -> Vec<Value> {
    let mut stream = UnixStream::connect(fixture.path("run/engine.sock")).await.unwrap();
    // The holder may close the connection before everything is written.
    let _ = stream.write_all(lines).await;
    let mut response = Vec::new();
    let read = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut response)).await.unwrap();
    assert!(read.is_ok() || !response.is_empty());
    response.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn hello() -> Value {
    let options = json!({ "paths": null, "servers": "none", "events": false });
    json!({ "protocol": 7, "version": env!("CARGO_PKG_VERSION"), "options": options })
}

fn line(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

fn refusal_of(response: &[Value]) -> &str {
    response.last().unwrap()["refused"]["message"].as_str().unwrap_or_else(|| panic!("{response:?}"))
}

#[tokio::test]
async fn an_invalid_message_gets_a_clear_error_and_affects_no_other_client() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold().await;
    let other = fixture.connect().await.unwrap();
    wait_for_server(&other, needs_sign_in).await;

    let request = |text: &str| [line(&hello()), text.as_bytes().to_vec(), b"\n".to_vec()].concat();
    let deep =
        format!(r#"{{ "id": 1, "request": {{ "request": "call_tool", "arguments": {} "#, "[".repeat(100_000));
    let unknown = r#"{ "id": 1, "request": { "request": "tokens" } }"#;
    let with_secret = r#"{ "id": 1, "request": { "request": "add", "url": "https://x.example", "client_secret": "hush" } }"#;
    for (sent, expected) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "not valid"),
        (vec![b'x'; 100_000], "longer than 65536 bytes"),
        (b"\xff\xfe\n".to_vec(), "not valid"),
        (request("{}"), "not valid"),
        (request(unknown), "not valid"),
        (request(with_secret), "not valid"),
        (request(&deep), "not valid"),
        (request(&"x".repeat(21 * 1024 * 1024)), "longer than 20971520 bytes"),
    ] {
        let response = send(&fixture, &sent).await;
        let message = refusal_of(&response);
        assert!(message.contains(expected), "{message} instead of {expected}");
        assert!(!response.last().unwrap().to_string().contains("hush"));
    }
    other.ask(Request::Snapshot).await.unwrap();
    fixture.connect().await.unwrap();
}

#[tokio::test]
async fn a_silent_client_is_disconnected_and_delays_no_other() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold().await;
    let begun = Instant::now();
    // One client sends nothing, and one only the beginning of a line.
    let silent = async {
        let responses = tokio::join!(send(&fixture, b""), send(&fixture, b"{ \"protocol\": 1"));
        for response in [responses.0, responses.1] {
            assert!(refusal_of(&response).contains("timed out"));
        }
    };
    let others = async {
        for _ in 0..20 {
            fixture.connect().await.unwrap().ask(Request::Snapshot).await.unwrap();
        }
        begun.elapsed()
    };
    let ((), took) = tokio::join!(silent, others);
    assert!(took < Duration::from_secs(4), "{took:?}");
}

/// 256 clients that connect and then do nothing must not keep out the next command, nor end a running call.
#[tokio::test]
async fn idle_clients_make_room_for_others_and_a_call_goes_on() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold_signed_in().await;
    let caller = fixture.connect().await.unwrap();
    let waiting = fixture.connect().await.unwrap();
    begin_sign_in(&waiting).await;
    let slow = caller.ask(call("slow_task", r#"{ "steps": 100, "millis": 10000 }"#, "slow"));
    tokio::pin!(slow);
    let flood = async {
        wait_until("the call runs", || fixture.demo.running_tasks() == 1).await;
        for sends_hello in [true, false] {
            let mut clients = Vec::new();
            for _ in 0..300 {
                let mut stream = UnixStream::connect(fixture.path("run/engine.sock")).await.unwrap();
                if sends_hello {
                    stream.write_all(&line(&hello())).await.unwrap();
                    // The welcome, or the end of the connection.
                    let mut byte = [0];
                    let _ = stream.read(&mut byte).await;
                }
                clients.push(stream);
            }
            let joined = tokio::time::timeout(Duration::from_secs(4), fixture.connect()).await;
            let client = joined.expect("the client is not accepted in time").unwrap();
            client.ask(Request::Snapshot).await.unwrap();
        }
    };
    tokio::select! {
        outcome = &mut slow => panic!("the call ended early: {outcome:?}"),
        () = flood => {}
    }
    assert_eq!(fixture.demo.running_tasks(), 1, "the call ended");
    caller.ask(Request::CancelCall { call: "slow".to_owned() }).await.unwrap();
    // The client that signs in was not disconnected, although it sent nothing meanwhile.
    waiting.ask(Request::server(&id(), ServerVerb::CancelSignIn)).await.unwrap();
}

#[tokio::test]
async fn another_version_another_build_and_other_paths_are_refused() {
    let fixture = Fixture::new().await;
    let _held = fixture.hold().await;
    let mut other = hello();
    other["version"] = json!("0.0.1\u{1b}[2J");
    let response = send(&fixture, &line(&other)).await;
    let message = refusal_of(&response);
    assert!(message.contains("this is 0.0.12J"), "{message}");
    let mut other = hello();
    other["protocol"] = json!(1);
    let response = send(&fixture, &line(&other)).await;
    let message = refusal_of(&response);
    assert!(message.contains("another build of version"), "{message}");

    let mut join_options = fixture.join_options();
    let paths = Paths { config: fixture.path("other.json"), ..join_options.paths.unwrap() };
    join_options.paths = Some(paths);
    match Client::connect(&fixture.path("run"), join_options).await {
        Err(ConnectError::Refused(error)) => {
            assert!(error.message.contains("already running"), "{error:?}");
            assert!(error.message.contains("mcp.json"), "{error:?}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("accepted"),
    }
}

#[tokio::test]
async fn a_client_does_not_connect_to_a_planted_socket_or_link() {
    let fixture = Fixture::new().await;
    let run = fixture.path("run");
    std::fs::create_dir(&run).unwrap();
    let mode = |mode| std::fs::set_permissions(&run, std::fs::Permissions::from_mode(mode)).unwrap();
    let planted = UnixListener::bind(fixture.path("planted.sock")).unwrap();
    planted.set_nonblocking(true).unwrap();

    mode(0o700);
    symlink(fixture.path("planted.sock"), run.join("engine.sock")).unwrap();
    assert!(matches!(fixture.connect().await, Err(ConnectError::Io(_))));
    // A holder replaces the link.
    let held = fixture.hold().await;
    assert!(!std::fs::symlink_metadata(run.join("engine.sock")).unwrap().is_symlink());
    assert_eq!(
        std::fs::symlink_metadata(run.join("engine.sock")).unwrap().permissions().mode() & 0o777,
        0o600
    );
    fixture.connect().await.unwrap();
    drop(held.server);
    held.engine.stop().await;

    std::fs::write(run.join("engine.sock"), "no socket").unwrap();
    assert!(matches!(fixture.connect().await, Err(ConnectError::Io(_))));

    // In a folder that other users may enter, another user could have created the socket.
    std::fs::remove_file(run.join("engine.sock")).unwrap();
    std::fs::rename(fixture.path("planted.sock"), run.join("engine.sock")).unwrap();
    for open in [0o770, 0o701, 0o777] {
        mode(open);
        assert!(matches!(fixture.connect().await, Err(ConnectError::Io(_))), "{open:o}");
        assert!(usher_engine::Engine::start(fixture.options()).await.is_err(), "{open:o}");
    }
    assert!(planted.accept().is_err(), "a client connected to the planted socket");
}

/// Needs root to run a process as another user. A unit test in `src/socket.rs` tests the rule without root.
#[tokio::test]
async fn another_user_is_refused() {
    if let Some(socket) = std::env::var_os(OTHER_USER_SOCKET) {
        let mut stream = UnixStream::connect(socket).await.unwrap();
        // The holder refuses the client before it reads the hello.
        let _ = stream.write_all(&line(&hello())).await;
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response).await;
        println!("received: {}", String::from_utf8(response).unwrap());
        return;
    }
    let fixture = Fixture::new().await;
    let _held = fixture.hold().await;
    let welcomed = fixture.connect().await.unwrap();
    let socket = fixture.path("run/engine.sock");
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "SKIPPED: only root can run a process as another user. src/socket.rs tests the rule itself."
        );
        return;
    }
    // Removes all other protections, so that only the check of the user is left.
    let program = fixture.path("other-user");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for (path, mode) in [(fixture.path(""), 0o711), (fixture.path("run"), 0o711), (socket.clone(), 0o666)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let other_user = tokio::process::Command::new(program)
        .args(["--exact", "refused::another_user_is_refused", "--nocapture"])
        .env_clear()
        .env(OTHER_USER_SOCKET, &socket)
        .current_dir("/")
        .uid(65534)
        .gid(65534)
        .output();
    let output = tokio::time::timeout(DEADLINE, other_user).await.unwrap().unwrap();
    let received = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(received.contains("received: {\"refused\":"), "{received}");
    assert!(received.contains("belongs to another user"), "{received}");
    assert!(!received.contains("welcome"), "{received}");
    welcomed.ask(Request::Snapshot).await.unwrap();
}
