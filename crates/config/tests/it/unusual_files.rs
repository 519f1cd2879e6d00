//! Files in place of `mcp.json` that are encoded unusually, are no files, or are locked.

use std::fs;

use url::Url;
use usher_config::{ConfigError, NewServer};

use crate::fixture::TestFolder;

const TEXT: &str = r#"{"mcpServers": {"a": {"type": "http", "url": "https://a.example"}}}"#;

fn bytes_of(folder: &TestFolder) -> Vec<u8> {
    fs::read(folder.path()).expect("read file")
}

fn notion() -> NewServer {
    NewServer::http(Url::parse("https://mcp.notion.com/mcp").expect("valid URL"))
}

#[test]
fn a_file_that_is_not_utf_8_is_never_overwritten() {
    let utf_16 = |mark: &[u8], encode: fn(u16) -> [u8; 2]| {
        [mark, &TEXT.encode_utf16().flat_map(encode).collect::<Vec<_>>()].concat()
    };
    for bytes in [
        b"\xff\xfe".to_vec(),
        utf_16(b"\xff\xfe", u16::to_le_bytes),
        utf_16(b"\xfe\xff", u16::to_be_bytes),
        utf_16(b"", u16::to_le_bytes),
        utf_16(b"", u16::to_be_bytes),
        TEXT.replace("https://a", "https://\u{e9}").chars().map(|character| character as u8).collect(),
    ] {
        let folder = TestFolder::with(&bytes);
        let file = folder.file();
        file.load().expect_err("should be rejected");
        for result in [file.add("b", &notion()), file.remove("a"), file.set_disabled("a", true)] {
            let error = result.expect_err("should be rejected");
            assert!(matches!(error, ConfigError::Invalid { .. }), "{bytes:?}: {error}");
        }
        assert_eq!(bytes_of(&folder), bytes);
        assert_eq!(folder.names(), ["mcp.json"]);
    }
}

#[test]
fn a_byte_order_mark_changes_nothing_but_the_first_bytes() {
    for text in [TEXT, "{}", "", "{\r\n}"] {
        let (plain, marked) =
            (TestFolder::with(text.as_bytes()), TestFolder::with(format!("\u{feff}{text}").as_bytes()));
        assert_eq!(marked.file().load().expect("valid"), plain.file().load().expect("valid"));
        for folder in [&plain, &marked] {
            folder.file().add("new", &notion()).expect("add server");
        }
        assert_eq!(bytes_of(&marked), ["\u{feff}".as_bytes(), &bytes_of(&plain)].concat());
    }
}

/// Fails if the work takes longer than the deadline of a lock, several times over.
#[cfg(unix)]
fn in_time<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    receiver.recv_timeout(std::time::Duration::from_secs(30)).expect("the work ends in time")
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_device_in_place_of_the_file_is_refused_at_once() {
    let devices = ["/dev/zero", "/dev/random", "/dev/tty"];
    for device in [None].into_iter().chain(devices.map(Some)) {
        let folder = TestFolder::new();
        match device {
            Some(device) => std::os::unix::fs::symlink(device, folder.path()).expect("create link"),
            // No program writes into the pipe.
            None => {
                let made = std::process::Command::new("mkfifo").arg(folder.path()).status();
                assert!(made.expect("mkfifo runs").success());
            }
        }
        let (reader, writer) = (folder.file(), folder.file());
        in_time(move || reader.load()).expect_err("not a file");
        in_time(move || writer.add("b", &notion())).expect_err("not a file");
        assert_eq!(folder.names(), ["mcp.json"], "{device:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_never_released_ends_an_edit_and_not_a_reader() {
    let folder = TestFolder::with(TEXT.as_bytes());
    let lock = fs::File::open(folder.folder()).expect("open folder");
    lock.lock().expect("lock folder");
    let (reader, writer) = (folder.file(), folder.file());
    in_time(move || reader.load()).expect("a reader needs no lock");
    let outcome = in_time(move || writer.add("b", &notion()));
    assert!(matches!(outcome, Err(ConfigError::Io { .. })), "{outcome:?}");
    assert_eq!(bytes_of(&folder), TEXT.as_bytes());
    drop(lock);
    folder.file().add("b", &notion()).expect("the lock is free again");
}
