//! Measures the private memory of an engine that is connected to one HTTP server, and to many. Prints JSON for
//! `cargo xtask bench`.
//!
//! The servers and each engine are further processes of this program, in the roles of `Arguments`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::this_program;
use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use serde_json::json;
use usher_engine::Engine;
use usher_fake_service::{FakeService, Options};
use usher_tests::PipedProcess;
use usher_tests::engine::{config, options, until_connected};

/// The time that the engine needs to finish its work after the start.
const SETTLE: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct Arguments {
    /// The number of engines of each kind, alternately
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// The number of servers of an engine with many
    #[arg(long, default_value_t = 101)]
    servers: usize,
    /// Runs this many servers until the end of the input, and prints their addresses as JSON
    #[arg(long, hide = true)]
    serve: Option<usize>,
    /// Runs the engine in this folder until the end of the input, and prints a line once it is connected
    #[arg(long, hide = true)]
    engine: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    if let Some(count) = arguments.serve {
        return serve(count).await;
    }
    if let Some(folder) = &arguments.engine {
        return run_engine(folder).await;
    }
    let measured = tokio::time::timeout(DEADLINE, measure(&arguments)).await.context("timed out")??;
    println!("{measured}");
    Ok(())
}

async fn serve(count: usize) -> Result<()> {
    let services = try_join_all((0..count).map(|_| FakeService::start(Options::open_handshake()))).await?;
    let urls: Vec<String> = services.iter().map(FakeService::url).collect();
    println!("{}", json!(urls));
    until_end_of_input().await
}

async fn run_engine(folder: &Path) -> Result<()> {
    let engine = Engine::start(options(folder)).await?;
    until_connected(&engine).await?;
    tokio::time::sleep(SETTLE).await;
    println!("connected");
    until_end_of_input().await?;
    engine.stop().await;
    Ok(())
}

async fn until_end_of_input() -> Result<()> {
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<serde_json::Value> {
    let count = arguments.servers;
    ensure!(count > 1, "two servers are the least");
    let mut servers = PipedProcess::start(this_program(&["server-memory", "--serve", &count.to_string()])?)?;
    let urls: Vec<String> = serde_json::from_str(&servers.line().await?)?;
    let (mut one, mut many) = (Vec::new(), Vec::new());
    for _ in 0..arguments.runs {
        one.push(engine_memory(&urls[..1]).await?);
        many.push(engine_memory(&urls).await?);
    }
    Ok(json!({ "servers": count, "one": one, "many": many }))
}

/// The private memory of a new engine that is connected to these servers, in kilobytes.
async fn engine_memory(urls: &[String]) -> Result<f64> {
    let folder = tempfile::tempdir()?;
    let names: Vec<String> = (0..urls.len()).map(|number| format!("service-{number}")).collect();
    let entries = names.iter().map(String::as_str).zip(urls.iter().map(String::as_str));
    std::fs::write(folder.path().join("mcp.json"), config(entries))?;
    let mut command = this_program(&["server-memory", "--engine"])?;
    command.arg(folder.path());
    let mut engine = PipedProcess::start(command)?;
    engine.line().await?;
    let memory = private_memory(engine.id())?;
    let output = engine.finish().await?;
    ensure!(output.code == Some(0), "the engine failed: {output:?}");
    Ok(memory)
}

fn private_memory(process: u32) -> Result<f64> {
    let rollup = std::fs::read_to_string(format!("/proc/{process}/smaps_rollup"))?;
    let field = |name: &str| -> Result<f64> {
        let line = rollup.lines().find_map(|line| line.strip_prefix(name));
        let value = line.with_context(|| format!("{name} is missing"))?;
        Ok(value.trim().trim_end_matches(" kB").parse()?)
    };
    // The unit is 1024 bytes.
    Ok((field("Private_Clean:")? + field("Private_Dirty:")?) * 1.024)
}
