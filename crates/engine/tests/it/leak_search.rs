//! The search for leaked secrets: in the log, in what the engine shows, and in its files outside of the secret store.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;
use usher_api::ErrorView;
use usher_engine::{Engine, Events};

use crate::fixture::*;

/// Everything that a person can turn on: `USHER_LOG=trace` in the app, `-v` on the command line.
const LOUDEST: &str = "warn,rmcp::transport::worker=off,usher=trace";

/// The log of the process.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn start() -> Self {
        let log = Log::default();
        let subscriber = tracing_subscriber::fmt().with_env_filter(LOUDEST).with_writer(log.clone());
        tracing::subscriber::set_global_default(subscriber.finish()).unwrap();
        log
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// Stops the engine, and returns what it showed, logged and stored outside of the secret store.
pub async fn shown_and_stored(
    sandbox: &Sandbox,
    engine: Engine,
    mut events: Events,
    error: &ErrorView,
    log: &Log,
) -> Vec<String> {
    let mut texts = vec![format!("{error:?}"), serde_json::to_string(&engine.snapshot()).unwrap()];
    while let Ok(event) = events.try_recv() {
        texts.push(serde_json::to_string(&event).unwrap());
    }
    engine.stop().await;
    read_all(&sandbox.path("state"), &mut texts);
    read_all(&sandbox.path("runtime"), &mut texts);
    texts.extend([std::fs::read_to_string(sandbox.path("mcp.json")).unwrap(), log.text()]);
    texts
}

pub fn read_all(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_all(&path, texts);
        } else if path.is_file() {
            texts.push(path.display().to_string());
            texts.push(String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
        }
    }
}

/// Asserts that no text contains the secret.
pub fn assert_absent(texts: &[String], kind: &str, secret: &str) {
    let leaked = texts.iter().find(|text| text.contains(secret));
    assert!(leaked.is_none(), "the {kind} {secret} leaked: {}", leaked.unwrap());
}
