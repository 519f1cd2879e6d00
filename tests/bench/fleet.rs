//! One engine and many services: how long a start takes until all are connected, against the slowest of them alone;
//! and what an expired token costs those who call at that moment. Prints JSON for `cargo xtask bench`.

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
/// The latency of the nearest service; the farthest has as much for each of them, hence a second.
const STEP: Duration = Duration::from_millis(20);
const CALLERS: usize = 500;
const LIFE: Duration = Duration::from_secs(600);
const DEADLINE: Duration = Duration::from_secs(300);

#[derive(Parser)]
struct Arguments {
    /// How often each figure is measured
    #[arg(long, default_value_t = 5)]
    runs: u32,
}

#[tokio::main]
async fn main() -> Result<()> {
    let Arguments { runs } = Arguments::parse();
    let measured = tokio::time::timeout(DEADLINE, measure(runs)).await.context("it took too long")??;
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

/// Milliseconds from the start to the last connection: with all services, and with the slowest alone, in turns.
async fn starts(runs: u32) -> Result<(Vec<f64>, Vec<f64>)> {
    let demos = try_join_all(
        (1..=SERVICES)
            .map(|number| Demo::start(DemoOptions { latency: STEP * number, ..DemoOptions::default() })),
    )
    .await?;
    let (everywhere, alone) = (Place::new(&demos)?, Place::new(&demos[demos.len() - 1..])?);
    for place in [&everywhere, &alone] {
        place.sign_in().await?;
    }
    let mut milliseconds = (Vec::new(), Vec::new());
    for _ in 0..runs {
        milliseconds.0.push(everywhere.start().await?);
        milliseconds.1.push(alone.start().await?);
    }
    Ok(milliseconds)
}

struct Crowd {
    /// Milliseconds until the last of all callers has its answer, with a good token.
    fresh: Vec<f64>,
    /// The same at the moment when the token has ended.
    expired: Vec<f64>,
    refreshes: Vec<usize>,
}

async fn crowd(runs: u32) -> Result<Crowd> {
    let demos = [Demo::start(DemoOptions { life: LIFE, ..DemoOptions::default() }).await?];
    let place = Place::new(&demos)?;
    place.sign_in().await?;
    let engine = Engine::start(place.options()).await?;
    until_connected(&engine).await?;
    call(&engine).await?;
    let mut crowd = Crowd { fresh: Vec::new(), expired: Vec::new(), refreshes: Vec::new() };
    for _ in 0..runs {
        crowd.fresh.push(call(&engine).await?);
        let before = demos[0].token_requests("refresh_token");
        // Both sides know that the token's life is over.
        demos[0].advance_clock(LIFE);
        place.clock.advance(LIFE);
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

/// Folders in which an engine knows some of the services.
struct Place {
    folder: TempDir,
    servers: Vec<ServerId>,
    clock: Clock,
}

impl Place {
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

    /// Signs in to all, side by side, by an engine that is ended afterwards.
    async fn sign_in(&self) -> Result<()> {
        let engine = Engine::start(self.options()).await?;
        try_join_all(self.servers.iter().map(|server| sign_in(&engine, server))).await?;
        engine.stop().await;
        Ok(())
    }

    /// Milliseconds from the start to the last connection.
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

/// Follows the events: looking again and again would cost what is measured.
async fn until_connected(engine: &Engine) -> Result<()> {
    let mut events = engine.subscribe();
    loop {
        let servers = engine.snapshot().servers;
        ensure!(!servers.is_empty(), "there are no servers");
        if servers.iter().all(|view| matches!(view.status, Status::Connected { .. })) {
            return Ok(());
        }
        // Events that were missed change nothing: the snapshot has them.
        let _ = events.recv().await;
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
