//! Measures the time from the start of a public MCP server, which node runs, to its first list of tools: through an
//! engine, and with a bare client. Prints JSON for `cargo xtask bench`.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use usher_api::ServerId;
use usher_engine::{Engine, EngineOptions};
use usher_tests::bare_client::BareProgramClient;
use usher_tests::engine::{options, until_connected};
use usher_tests::{paths, wait};

use crate::milliseconds;

const SCRIPT: &str = "tests/programs/node_modules/@modelcontextprotocol/server-everything/dist/index.js";
const DEADLINE: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct Arguments {
    /// The number of starts of each kind, alternately
    #[arg(long, default_value_t = 15)]
    runs: u32,
}

pub async fn run(Arguments { runs }: Arguments) -> Result<()> {
    let measured = tokio::time::timeout(DEADLINE, measure(runs)).await.context("timed out")??;
    println!("{measured}");
    Ok(())
}

async fn measure(runs: u32) -> Result<serde_json::Value> {
    let script = paths::repository().join(SCRIPT);
    ensure!(script.is_file(), "{} is not installed; run `npm ci` in tests/programs", script.display());
    let folder = tempfile::tempdir()?;
    let entry = json!({ "type": "stdio", "command": "node", "args": [script, "stdio"] });
    let config = json!({ "mcpServers": { "everything": entry } });
    std::fs::write(folder.path().join("mcp.json"), config.to_string())?;
    approve(options(folder.path())).await?;
    let (mut usher, mut alone) = (Vec::new(), Vec::new());
    // The first turn fills caches, so it is not counted.
    for turn in 0..=runs {
        let times = (through_engine(options(folder.path())).await?, without_usher(&script).await?);
        if turn > 0 {
            usher.push(times.0);
            alone.push(times.1);
        }
    }
    Ok(json!({ "usher": usher, "alone": alone }))
}

fn server() -> ServerId {
    ServerId("everything".to_owned())
}

/// Approves the program, as a person does before its first start.
async fn approve(options: EngineOptions) -> Result<()> {
    let engine = Engine::start(options).await?;
    let program = wait::until_ready("the program's entry", || {
        Ok(engine.server(&server()).and_then(|view| view.program))
    });
    let digest = program.await?.launch.digest;
    engine.approve(&server(), digest).await?;
    until_connected(&engine).await?;
    engine.stop().await;
    Ok(())
}

/// The milliseconds from the start of an engine to the list of tools.
async fn through_engine(options: EngineOptions) -> Result<f64> {
    let begun = Instant::now();
    let engine = Engine::start(options).await?;
    until_connected(&engine).await?;
    let tools = engine.tools(&server()).await?;
    let taken = milliseconds(begun);
    ensure!(!tools.is_empty(), "Usher listed no tools");
    engine.stop().await;
    Ok(taken)
}

/// The milliseconds from the start of the program alone to the list of tools.
async fn without_usher(script: &Path) -> Result<f64> {
    let mut command = Command::new("node");
    command.arg(script).arg("stdio");
    let begun = Instant::now();
    let mut client = BareProgramClient::start(command).await?;
    let listed = client.request("tools/list", json!({})).await?;
    let taken = milliseconds(begun);
    ensure!(listed["tools"].as_array().is_some_and(|tools| !tools.is_empty()), "the program listed no tools");
    client.stop().await?;
    Ok(taken)
}
