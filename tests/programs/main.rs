//! Local programs: public MCP servers from npm, and programs that misbehave. None of them leaves anything behind.

mod approval;
mod ending;
mod misbehaving;
mod public;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use usher_api::{ServerId, ServerView, Status, ToolContent};
use usher_engine::{CallOptions, Engine, EngineOptions};
use usher_tests::engine::options;
use usher_tests::wait::TIMEOUT;

/// The folder with the programs.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/programs");

fn id() -> ServerId {
    ServerId("tool".to_owned())
}

/// The entry that runs `tool.sh` with one argument.
fn tool(argument: &str) -> Value {
    json!({ "type": "stdio", "command": format!("{FOLDER}/tool.sh"), "args": [argument] })
}

/// An engine with one program in its `mcp.json`.
struct Person {
    engine: Engine,
    folder: TempDir,
}

impl Person {
    /// Starts an engine. The program waits for its approval.
    async fn new(entry: &Value) -> Result<Self> {
        Person::with(entry, |options| options).await
    }

    async fn with(entry: &Value, change: impl FnOnce(EngineOptions) -> EngineOptions) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("mcp.json"), config(entry))?;
        let engine = Engine::start(change(options(folder.path()))).await?;
        Ok(Self { engine, folder })
    }

    /// Starts an engine, and approves the program.
    async fn approved(entry: &Value) -> Result<Self> {
        let person = Person::new(entry).await?;
        person.approve().await?;
        Ok(person)
    }

    async fn approve(&self) -> Result<()> {
        let program = self.view()?.program.context("the server is not a program")?;
        Ok(self.engine.approve(&id(), program.launch.digest).await?)
    }

    fn view(&self) -> Result<ServerView> {
        self.engine.server(&id()).context("the server is missing")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    async fn until(&self, is_expected: impl Fn(&ServerView) -> bool) -> Result<ServerView> {
        let mut events = self.engine.subscribe();
        let wait = async {
            loop {
                if let Some(view) = self.engine.server(&id()).filter(|view| is_expected(view)) {
                    return view;
                }
                // A missed event does not matter, because the view includes it.
                let _ = events.recv().await;
            }
        };
        let last = || format!("timed out; the last state is {:?}", self.engine.server(&id()));
        tokio::time::timeout(TIMEOUT, wait).await.with_context(last)
    }

    async fn until_connected(&self) -> Result<ServerView> {
        self.until(|view| matches!(view.status, Status::Connected { .. })).await
    }

    async fn call(&self, tool: &str, arguments: Map<String, Value>) -> Result<String> {
        let called = self.engine.call_tool(&id(), tool, arguments, CallOptions::new("call")).await?;
        let text = called.content.into_iter().find_map(|content| match content {
            ToolContent::Text { text, .. } => Some(text),
            _ => None,
        });
        text.context("the result has no text")
    }

    /// The process id and the environment that `tool.sh` reports.
    async fn show(&self) -> Result<Vec<String>> {
        let text = self.call("show", Map::new()).await?;
        Ok(text.split(' ').map(str::to_owned).collect())
    }

    async fn pid(&self) -> Result<u32> {
        Ok(self.show().await?.first().context("no process id")?.parse()?)
    }
}

fn config(entry: &Value) -> String {
    json!({ "mcpServers": { "tool": entry } }).to_string()
}

/// Returns whether any process of this group runs.
fn group_runs(group: u32) -> bool {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    processes.filter_map(|entry| group_of(&entry.path())).any(|(found, state)| found == group && state != "Z")
}

/// The group and the state of a process.
fn group_of(process: &Path) -> Option<(u32, String)> {
    let stat = std::fs::read_to_string(process.join("stat")).ok()?;
    // The name is in parentheses, and may contain anything.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ');
    let (state, _parent, group) = (fields.next()?, fields.next()?, fields.next()?);
    Some((group.parse().ok()?, state.to_owned()))
}

/// Waits until no process of the group runs. Returns the time that it took.
async fn until_gone(group: u32) -> Result<Duration> {
    let begun = std::time::Instant::now();
    while group_runs(group) {
        if begun.elapsed() > TIMEOUT {
            bail!("the group {group} still runs after {TIMEOUT:?}");
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(begun.elapsed())
}
