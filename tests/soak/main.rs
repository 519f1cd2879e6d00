//! `soak --minutes N`: one idle engine and twenty services whose tokens live for one minute. Fails if a goal in
//! `tests/soak/README.md` was missed. `cargo xtask soak` builds and runs this program.

mod engine_process;
mod services;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;

use engine_process::{EngineProcess, run_engine};
use services::Services;

const SERVICES: usize = 20;
const LIFETIME: Duration = Duration::from_secs(60);
/// Long enough for one refresh of each token and for lazy initialisation.
const WARM_UP: Duration = Duration::from_secs(70);
const SAMPLE_INTERVAL: Duration = Duration::from_secs(1);
/// The number of samples in one median of the memory.
const SAMPLES: usize = 15;

const MAX_GROWTH: f64 = 0.05;
const MAX_CPU: f64 = 0.005;

#[derive(Parser)]
struct Arguments {
    /// How long to measure, after a warm-up of about a minute
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Runs the engine in this folder; the program starts itself with this option
    #[arg(long, hide = true)]
    engine_in: Option<std::path::PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.engine_in {
        Some(folder) => run_engine(&folder).await.map(|()| ExitCode::SUCCESS),
        None => soak(Duration::from_secs(60 * arguments.minutes)).await,
    }
}

async fn soak(time: Duration) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    println!("soak: signing in to {SERVICES} services");
    let mut services = Services::start(SERVICES, LIFETIME).await?;
    services.sign_in(folder.path()).await?;
    let mut engine = EngineProcess::start(folder.path()).await?;
    services.reset();
    println!("soak: {SERVICES} connected; warming up for {} s", WARM_UP.as_secs());
    measure(&mut services, &mut engine, WARM_UP).await?;

    println!("soak: measuring for {} min", time.as_secs() / 60);
    let (begun, before) = (Instant::now(), engine.cpu_time()?);
    let memory = measure(&mut services, &mut engine, time).await?;
    let cpu = (engine.cpu_time()? - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    engine.end().await?;

    let counts = services.counts();
    let (first, last) = (
        median(&memory[..SAMPLES.min(memory.len())]),
        median(&memory[memory.len().saturating_sub(SAMPLES)..]),
    );
    let growth = last / first - 1.0;
    // The figure, the measured value, the goal, and whether it is met.
    let rows = [
        ("refreshes", counts.refreshes.to_string(), "", true),
        ("refreshes missed or late", counts.missed.to_string(), "0", counts.missed == 0),
        ("expired or rejected tokens sent", counts.rejected.to_string(), "0", counts.rejected == 0),
        ("failed token requests", counts.failed.to_string(), "0", counts.failed == 0),
        (
            "memory (PSS), begin to end",
            format!("{:.1} MB to {:.1} MB, {:+.1} %", first / 1e6, last / 1e6, growth * 100.0),
            "< +5 %",
            growth < MAX_GROWTH,
        ),
        // The CPU use of a debug build is not checked.
        match cfg!(debug_assertions) {
            true => ("CPU while idle, debug build", percent_of_a_core(cpu), "", true),
            false => ("CPU while idle", percent_of_a_core(cpu), "< 0.5 %", cpu < MAX_CPU),
        },
    ];
    println!("\n| figure | goal | measured |\n|---|---|---|");
    for (figure, measured, goal, is_met) in &rows {
        println!("| {figure} | {goal}{} | {measured} |", if *is_met { "" } else { " (missed)" });
    }
    Ok(if rows.iter().all(|(_, _, _, is_met)| *is_met) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Samples the services and the engine. Returns the engine's memory of each sample, in bytes.
async fn measure(services: &mut Services, engine: &mut EngineProcess, time: Duration) -> Result<Vec<f64>> {
    let end = Instant::now() + time;
    let mut memory = Vec::new();
    while Instant::now() < end {
        tokio::time::sleep(SAMPLE_INTERVAL).await;
        services.sample();
        memory.push(engine.memory().context("the engine has exited")?);
    }
    Ok(memory)
}

fn percent_of_a_core(share: f64) -> String {
    format!("{:.2} % of a core", share * 100.0)
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
