//! Measures the time until one engine connects to all its services, compared with the slowest service alone. Also
//! measures the cost of an expired token for concurrent callers. Prints JSON for `cargo xtask bench`.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Parser;
use futures::future::{join_all, try_join_all};
use serde_json::json;
use tempfile::TempDir;
use usher_api::{ServerId, Status};
use usher_demo::{Demo, DemoOptions};
use usher_engine::{CallOptions, Clock, Engine, EngineOptions, SignInOptions};
use usher_secrets::StoreKind;
use usher_tests::consent::{Decision, answer};

const SERVICES: u32 = 50;
/// The latency of the fastest service. Each further service takes this much longer, up to one second.
const STEP: Duration = Duration::from_millis(20);
const CALLERS: usize = 500;
const LIFETIME: Duration = Duration::from_secs(600);
const DEADLINE: Duration = Duration::from_secs(300);

#[derive(Parser)]
struct Arguments {
    /// The number of measurements of each figure
    #[arg(long, default_value_t = 5)]
    runs: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { runs } = Arguments::parse();
    let measured = tokio::time::timeout(DEADLINE, measure(runs)).await.context("timed out")??;
    println!("{measured}");
    Ok(())
}

async fn measure(runs: u32) -> Result<serde_json::Value> {
    let (all, slowest) = starts(runs).await?;
    let crowd = crowd(runs).await?;
    Ok(json!({
        "services": SERVICES,
        "all": all,
        "slowest_alone": slowest,
        "callers": CALLERS,
        "fresh": crowd.fresh,
        "expired": crowd.expired,
        "refreshes": crowd.refreshes,
    }))
}

/// Measures the milliseconds from the start to the last connection, alternating between all services and the slowest.
async fn starts(runs: u32) -> Result<(Vec<f64>, Vec<f64>)> {
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

struct Crowd {
    /// The milliseconds until the last caller has its response, with a valid token.
    fresh: Vec<f64>,
    /// The same for an expired token.
    expired: Vec<f64>,
    refreshes: Vec<usize>,
}

async fn crowd(runs: u32) -> Result<Crowd> {
    let demos = [Demo::start(DemoOptions { life: LIFETIME, ..DemoOptions::default() }).await?];
    let sandbox = Sandbox::new(&demos)?;
    sandbox.sign_in().await?;
    let engine = Engine::start(sandbox.options()).await?;
    until_connected(&engine).await?;
    call(&engine).await?;
    let mut crowd = Crowd { fresh: Vec::new(), expired: Vec::new(), refreshes: Vec::new() };
    for _ in 0..runs {
        crowd.fresh.push(call(&engine).await?);
        let before = demos[0].token_requests("refresh_token");
        // The token expires for the demo and for the engine.
        demos[0].advance_clock(LIFETIME);
        sandbox.clock.advance(LIFETIME);
        crowd.expired.push(call(&engine).await?);
        crowd.refreshes.push(demos[0].token_requests("refresh_token") - before);
    }
    engine.stop().await;
    Ok(crowd)
}

async fn call(engine: &Engine) -> Result<f64> {
    let server = ServerId("service-0".to_owned());
    let begun = Instant::now();
    let calls = (0..CALLERS).map(|number| {
        engine.call_tool(
            &server,
            "search_pages",
            serde_json::Map::new(),
            CallOptions::new(format!("call-{number}")),
        )
    });
    for outcome in join_all(calls).await {
        outcome?;
    }
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
        let name = |number: usize| format!("service-{number}");
        let entry =
            |(number, demo): (usize, &Demo)| (name(number), json!({ "type": "http", "url": demo.url() }));
        let entries: serde_json::Map<_, _> = demos.iter().enumerate().map(entry).collect();
        write(&folder.path().join("mcp.json"), &json!({ "mcpServers": entries }))?;
        let servers = (0..demos.len()).map(|number| ServerId(name(number))).collect();
        Ok(Self { folder, servers, clock: Clock::default() })
    }

    fn options(&self) -> EngineOptions {
        let path = |name: &str| self.folder.path().join(name);
        let store = StoreKind::File(path("secrets"));
        let options = EngineOptions::new(path("mcp.json"), path("state"), path("run"), store);
        EngineOptions { clock: self.clock.clone(), ..options }
    }

    /// Signs in to all services concurrently, with a temporary engine.
    async fn sign_in(&self) -> Result<()> {
        let engine = Engine::start(self.options()).await?;
        try_join_all(self.servers.iter().map(|server| sign_in(&engine, server))).await?;
        engine.stop().await;
        Ok(())
    }

    /// The milliseconds from the start to the last connection.
    async fn start(&self) -> Result<f64> {
        let begun = Instant::now();
        let engine = Engine::start(self.options()).await?;
        until_connected(&engine).await?;
        let taken = milliseconds(begun);
        engine.stop().await;
        Ok(taken)
    }
}

fn write(path: &Path, config: &serde_json::Value) -> Result<()> {
    std::fs::write(path, config.to_string()).with_context(|| format!("write {}", path.display()))
}

async fn sign_in(engine: &Engine, server: &ServerId) -> Result<()> {
    let request = engine.sign_in(server, SignInOptions::default()).await?;
    engine.complete_sign_in(&answer(&request.authorization_url, Decision::Allow).await?).await?;
    Ok(())
}

/// Waits for events, because polling would distort the measurement.
async fn until_connected(engine: &Engine) -> Result<()> {
    let mut events = engine.subscribe();
    loop {
        let servers = engine.snapshot().servers;
        ensure!(!servers.is_empty(), "there are no servers");
        if servers.iter().all(|view| matches!(view.status, Status::Connected { .. })) {
            return Ok(());
        }
        // A missed event does not matter, because the snapshot includes it.
        let _ = events.recv().await;
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
