//! Who is not let in, what is not understood, and that it costs nobody else anything.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use usher_api::Request;
use usher_ipc::{Client, ConnectError, Places};

use crate::fixture::*;

/// Set in the child that another person runs: the socket to speak to.
const STRANGER: &str = "USHER_TEST_STRANGER_SPEAKS_TO";

/// Says something of its own making, and hears all that comes back.
async fn say(place: &Place, lines: &[u8]) -> Vec<Value> {
    let mut stream = UnixStream::connect(place.path("run/engine.sock")).await.unwrap();
    // The holder may hang up before all is said.
    let _ = stream.write_all(lines).await;
    let mut answer = Vec::new();
    let heard = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(heard.is_ok() || !answer.is_empty());
    answer.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
}

fn hello() -> Value {
    let opening = json!({ "places": null, "servers": "no_more", "events": false });
    json!({ "protocol": 2, "version": env!("CARGO_PKG_VERSION"), "opening": opening })
}

fn line(value: &Value) -> Vec<u8> {
    format!("{value}\n").into_bytes()
}

fn refused_with(answer: &[Value]) -> &str {
    answer.last().unwrap()["refused"]["message"].as_str().unwrap_or_else(|| panic!("{answer:?}"))
}

#[tokio::test]
async fn other_words_get_a_clear_error_and_cost_nobody_else_anything() {
    let place = Place::new().await;
    let _held = place.hold().await;
    let other = place.connect().await.unwrap();
    until(&other, needs_sign_in).await;

    let asked = |text: &str| [line(&hello()), text.as_bytes().to_vec(), b"\n".to_vec()].concat();
    let deep =
        format!(r#"{{ "id": 1, "request": {{ "verb": "call_tool", "arguments": {} "#, "[".repeat(100_000));
    let unknown = r#"{ "id": 1, "request": { "verb": "tokens" } }"#;
    let with_secret =
        r#"{ "id": 1, "request": { "verb": "add", "url": "https://x.example", "client_secret": "hush" } }"#;
    for (said, heard) in [
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "not understood"),
        (vec![b'x'; 100_000], "longer than 65536 bytes"),
        (b"\xff\xfe\n".to_vec(), "not understood"),
        (asked("{}"), "not understood"),
        (asked(unknown), "not understood"),
        (asked(with_secret), "not understood"),
        (asked(&deep), "not understood"),
        (asked(&"x".repeat(21 * 1024 * 1024)), "longer than 20971520 bytes"),
    ] {
        let answer = say(&place, &said).await;
        let message = refused_with(&answer);
        assert!(message.contains(heard), "{message} instead of {heard}");
        assert!(!answer.last().unwrap().to_string().contains("hush"));
    }
    other.ask(Request::Snapshot).await.unwrap();
    place.connect().await.unwrap();
}

#[tokio::test]
async fn who_says_nothing_is_hung_up_on_and_delays_nobody() {
    let place = Place::new().await;
    let _held = place.hold().await;
    let begun = Instant::now();
    let silent = async {
        let answer = say(&place, b"{ \"protocol\": 1").await;
        assert!(refused_with(&answer).contains("took too long"));
    };
    let others = async {
        for _ in 0..20 {
            place.connect().await.unwrap().ask(Request::Snapshot).await.unwrap();
        }
        begun.elapsed()
    };
    let ((), took) = tokio::join!(silent, others);
    assert!(took < Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn another_version_and_other_places_are_told_apart() {
    let place = Place::new().await;
    let _held = place.hold().await;
    let mut other = hello();
    other["version"] = json!("0.0.1\u{1b}[2J");
    let answer = say(&place, &line(&other)).await;
    let message = refused_with(&answer);
    assert!(message.contains("this is 0.0.12J"), "{message}");
    let mut other = hello();
    other["protocol"] = json!(1);
    let answer = say(&place, &line(&other)).await;
    let message = refused_with(&answer);
    assert!(message.contains("another build of version"), "{message}");

    let mut opening = place.opening();
    let places = Places { config: place.path("other.json"), ..opening.places.unwrap() };
    opening.places = Some(places);
    match Client::connect(&place.path("run"), opening).await {
        Err(ConnectError::Refused(error)) => {
            assert!(error.message.contains("already running"), "{error:?}");
            assert!(error.message.contains("mcp.json"), "{error:?}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("let in"),
    }
}

#[tokio::test]
async fn a_planted_socket_or_link_is_not_spoken_to() {
    let place = Place::new().await;
    let run = place.path("run");
    std::fs::create_dir(&run).unwrap();
    let mode = |mode| std::fs::set_permissions(&run, std::fs::Permissions::from_mode(mode)).unwrap();
    let planted = UnixListener::bind(place.path("planted.sock")).unwrap();
    planted.set_nonblocking(true).unwrap();

    mode(0o700);
    symlink(place.path("planted.sock"), run.join("engine.sock")).unwrap();
    assert!(matches!(place.connect().await, Err(ConnectError::Io(_))));
    // A holder clears it away, and listens itself.
    let held = place.hold().await;
    assert!(!std::fs::symlink_metadata(run.join("engine.sock")).unwrap().is_symlink());
    assert_eq!(
        std::fs::symlink_metadata(run.join("engine.sock")).unwrap().permissions().mode() & 0o777,
        0o600
    );
    place.connect().await.unwrap();
    drop(held.server);
    held.engine.stop().await;

    std::fs::write(run.join("engine.sock"), "no socket").unwrap();
    assert!(matches!(place.connect().await, Err(ConnectError::Io(_))));

    // In a folder where others may write, anybody could have put it there.
    std::fs::remove_file(run.join("engine.sock")).unwrap();
    std::fs::rename(place.path("planted.sock"), run.join("engine.sock")).unwrap();
    for open in [0o770, 0o701, 0o777] {
        mode(open);
        assert!(matches!(place.connect().await, Err(ConnectError::Io(_))), "{open:o}");
        assert!(usher_engine::Engine::start(place.options()).await.is_err(), "{open:o}");
    }
    assert!(planted.accept().is_err(), "somebody spoke to the planted socket");
}

/// The real thing needs two persons, and so root to become the other one; elsewhere the rule alone is tested, in
/// `src/socket.rs`.
#[tokio::test]
async fn another_person_is_refused() {
    if let Some(socket) = std::env::var_os(STRANGER) {
        let mut stream = UnixStream::connect(socket).await.unwrap();
        // Nobody listens to what a stranger says.
        let _ = stream.write_all(&line(&hello())).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        println!("heard: {}", String::from_utf8(answer).unwrap());
        return;
    }
    let place = Place::new().await;
    let _held = place.hold().await;
    let welcomed = place.connect().await.unwrap();
    let socket = place.path("run/engine.sock");
    if !rustix::process::geteuid().is_root() {
        eprintln!(
            "SKIPPED: only root can become another person. The rule alone was tested, in src/socket.rs."
        );
        return;
    }
    // Every other wall is taken down, so that this one is seen.
    let program = place.path("stranger");
    std::fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for (path, mode) in [(place.path(""), 0o711), (place.path("run"), 0o711), (socket.clone(), 0o666)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let stranger = tokio::process::Command::new(program)
        .args(["--exact", "refused::another_person_is_refused", "--nocapture"])
        .env_clear()
        .env(STRANGER, &socket)
        .current_dir("/")
        .uid(65534)
        .gid(65534)
        .output();
    let output = tokio::time::timeout(PATIENCE, stranger).await.unwrap().unwrap();
    let heard = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(heard.contains("heard: {\"refused\":"), "{heard}");
    assert!(heard.contains("belongs to another person"), "{heard}");
    assert!(!heard.contains("welcome"), "{heard}");
    welcomed.ask(Request::Snapshot).await.unwrap();
}
