//! Measures the time until one engine connects to all its services, compared with the slowest service alone. Also
//! measures the cost of an expired token for concurrent callers. Prints JSON for `cargo xtask bench`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::json;
use tempfile::TempDir;
use usher_api::ServerId;
use usher_demo::{Demo, DemoOptions};
use usher_engine::{Clock, Engine, EngineOptions};
use usher_tests::engine;

use crate::milliseconds;

const SERVICES: u32 = 50;
/// The latency of the fastest service. Each further service takes this much longer, up to one second.
const STEP: Duration = Duration::from_millis(20);
const CALLERS: usize = 500;
const LIFETIME: Duration = Duration::from_secs(600);
const DEADLINE: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct Arguments {
    /// The number of measurements of each figure
    #[arg(long, default_value_t = 5)]
    runs: u32,
}

pub async fn run(Arguments { runs }: Arguments) -> Result<()> {
    let measured = tokio::time::timeout(DEADLINE, measure(runs)).await.context("timed out")??;
    println!("{measured}");
    Ok(())
}

async fn measure(runs: u32) -> Result<serde_json::Value> {
    let (all, slowest) = start_times(runs).await?;
    let times = call_times(runs).await?;
    Ok(json!({
        "services": SERVICES,
        "all": all,
        "slowest_alone": slowest,
        "callers": CALLERS,
        "valid": times.valid,
        "expired": times.expired,
        "refreshes": times.refreshes,
    }))
}

/// Measures the milliseconds from the start to the last connection, alternating between all services and the slowest.
async fn start_times(runs: u32) -> Result<(Vec<f64>, Vec<f64>)> {
    let demos = try_join_all(
        (1..=SERVICES)
            .map(|number| Demo::start(DemoOptions { latency: STEP * number, ..DemoOptions::default() })),
    )
    .await?;
    let (all, slowest) = (Sandbox::new(&demos)?, Sandbox::new(&demos[demos.len() - 1..])?);
    for sandbox in [&all, &slowest] {
        sandbox.sign_in().await?;
    }
    let mut milliseconds = (Vec::new(), Vec::new());
    for _ in 0..runs {
        milliseconds.0.push(all.start().await?);
        milliseconds.1.push(slowest.start().await?);
    }
    Ok(milliseconds)
}

struct CallTimes {
    /// The milliseconds until the last caller has its response, with a valid token.
    valid: Vec<f64>,
    /// The same for an expired token.
    expired: Vec<f64>,
    refreshes: Vec<usize>,
}

async fn call_times(runs: u32) -> Result<CallTimes> {
    let demos =
        [Demo::start(DemoOptions { access_token_lifetime: LIFETIME, ..DemoOptions::default() }).await?];
    let sandbox = Sandbox::new(&demos)?;
    sandbox.sign_in().await?;
    let engine = Engine::start(sandbox.options()).await?;
    engine::until_connected(&engine).await?;
    call(&engine).await?;
    let mut times = CallTimes { valid: Vec::new(), expired: Vec::new(), refreshes: Vec::new() };
    for _ in 0..runs {
        times.valid.push(call(&engine).await?);
        let before = demos[0].token_requests("refresh_token");
        // The token expires for the demo and for the engine.
        demos[0].advance_clock(LIFETIME);
        sandbox.clock.advance(LIFETIME);
        times.expired.push(call(&engine).await?);
        times.refreshes.push(demos[0].token_requests("refresh_token") - before);
    }
    engine.stop().await;
    Ok(times)
}

async fn call(engine: &Engine) -> Result<f64> {
    let server = ServerId("service-0".to_owned());
    let begun = Instant::now();
    engine::call_at_once(engine, &server, CALLERS).await?;
    Ok(milliseconds(begun))
}

/// The folders of an engine that is configured with some of the services.
struct Sandbox {
    folder: TempDir,
    servers: Vec<ServerId>,
    clock: Clock,
}

impl Sandbox {
    fn new(demos: &[Demo]) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let servers: Vec<_> = (0..demos.len()).map(|number| ServerId(format!("service-{number}"))).collect();
        let urls = demos.iter().map(|demo| demo.url().as_str());
        let config = engine::config(servers.iter().map(|server| server.0.as_str()).zip(urls));
        std::fs::write(folder.path().join("mcp.json"), config)?;
        Ok(Self { folder, servers, clock: Clock::default() })
    }

    fn options(&self) -> EngineOptions {
        EngineOptions { clock: self.clock.clone(), ..engine::options(self.folder.path()) }
    }

    /// Signs in to all services concurrently, with a temporary engine.
    async fn sign_in(&self) -> Result<()> {
        let engine = Engine::start(self.options()).await?;
        try_join_all(self.servers.iter().map(|server| engine::sign_in(&engine, server))).await?;
        engine.stop().await;
        Ok(())
    }

    /// The milliseconds from the start to the last connection.
    async fn start(&self) -> Result<f64> {
        let begun = Instant::now();
        let engine = Engine::start(self.options()).await?;
        engine::until_connected(&engine).await?;
        let taken = milliseconds(begun);
        engine.stop().await;
        Ok(taken)
    }
}
