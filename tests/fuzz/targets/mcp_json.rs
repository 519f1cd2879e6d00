//! The bytes of `mcp.json`: read, checked, edited and formatted.

#![no_main]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use usher_config::{ConfigFile, Diagnostic, Environment, NewServer, Severity};

/// In memory where possible, because each run writes the file several times.
static FOLDER: LazyLock<TempDir> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { TempDir::new_in(memory) } else { TempDir::new() }.expect("a folder")
});

const NAME: &str = "added by the fuzzer";

fuzz_target!(|bytes: &[u8]| {
    let path = FOLDER.path().join("mcp.json");
    fs::write(&path, bytes).expect("write the file");
    let file = ConfigFile::new(&path, Environment::of_process());
    let before = file.load();
    let problems = file.check().expect("the file can be read");
    // An error in an entry does not affect the others.
    let is_of_file = |problem: &&Diagnostic| problem.severity == Severity::Error && problem.server.is_none();
    assert_eq!(before.is_err(), problems.iter().any(|problem| is_of_file(&problem)), "{problems:?}");
    let server = NewServer::http("https://mcp.example.com/mcp".parse().expect("a URL"));
    match (file.add(NAME, &server), before) {
        (Ok(after), Ok(before)) => {
            assert_eq!(after.servers.len(), before.servers.len() + 1);
            assert_eq!(file.load().expect("the edited file is valid"), after);
            let restored = file.remove(NAME).expect("the server can be removed");
            // The edit may change the layout, and with it the positions in the messages about the file.
            assert_eq!(restored.servers, before.servers);
            assert_eq!(restored.broken.len(), before.broken.len());
            file.format().expect("the file can be formatted");
            assert_eq!(file.load().expect("the formatted file is valid").servers, before.servers);
        }
        (Ok(_), Err(error)) => panic!("an invalid file was edited: {error}"),
        (Err(_), _) => assert_eq!(fs::read(&path).expect("read the file"), bytes, "a failed edit"),
    }
});
