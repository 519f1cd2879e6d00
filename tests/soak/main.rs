//! `soak --minutes N`: one engine, twenty services whose tokens live for a minute, and nobody who calls a tool. Fails
//! where a renewal was missed, the engine grew, or rest was no rest. `cargo xtask soak` builds and runs it.

mod engine_process;
mod services;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::Parser;

use engine_process::{EngineProcess, be_the_engine};
use services::Services;

const SERVICES: usize = 20;
const LIFE: Duration = Duration::from_secs(60);
/// Each sign-in was renewed once by then, and what is made at the first use is made.
const WARM_UP: Duration = Duration::from_secs(70);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How many looks one figure of memory is the middle of.
const LOOKS: usize = 15;

const MOST_GROWTH: f64 = 0.05;
const MOST_CPU: f64 = 0.005;

#[derive(Parser)]
struct Arguments {
    /// How long to measure, after a warm-up of about a minute
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// The part of the engine, in this folder: what this program starts beside itself
    #[arg(long, hide = true)]
    engine_in: Option<std::path::PathBuf>,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.engine_in {
        Some(folder) => be_the_engine(&folder).await.map(|()| ExitCode::SUCCESS),
        None => soak(Duration::from_secs(60 * arguments.minutes)).await,
    }
}

async fn soak(time: Duration) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    println!("soak: signing in to {SERVICES} services");
    let mut services = Services::start(SERVICES, LIFE).await?;
    services.sign_in(folder.path()).await?;
    let mut engine = EngineProcess::start(folder.path()).await?;
    services.begin();
    println!("soak: {SERVICES} connected; warming up for {} s", WARM_UP.as_secs());
    watch(&mut services, &mut engine, WARM_UP).await?;

    println!("soak: measuring for {} min", time.as_secs() / 60);
    let (begun, before) = (Instant::now(), engine.cpu_time()?);
    let memory = watch(&mut services, &mut engine, time).await?;
    let cpu = (engine.cpu_time()? - before).as_secs_f64() / begun.elapsed().as_secs_f64();
    engine.end().await?;

    let counted = services.counted();
    let (first, last) =
        (middle(&memory[..LOOKS.min(memory.len())]), middle(&memory[memory.len().saturating_sub(LOOKS)..]));
    let growth = last / first - 1.0;
    let rows = [
        Row::new("renewals", counted.renewals.to_string(), "", true),
        Row::new("renewals missed or late", counted.missed.to_string(), "0", counted.missed == 0),
        Row::new("expired or refused tokens sent", counted.refused.to_string(), "0", counted.refused == 0),
        Row::new("failed token requests", counted.failed.to_string(), "0", counted.failed == 0),
        Row::new(
            "memory (PSS), begin to end",
            format!("{:.1} MB to {:.1} MB, {:+.1} %", first / 1e6, last / 1e6, growth * 100.0),
            "< +5 %",
            growth < MOST_GROWTH,
        ),
        // What nobody optimised says nothing about the product.
        match cfg!(debug_assertions) {
            true => Row::new("CPU at rest, debug build", percent_of_a_core(cpu), "", true),
            false => Row::new("CPU at rest", percent_of_a_core(cpu), "< 0.5 %", cpu < MOST_CPU),
        },
    ];
    println!("\n| figure | goal | measured |\n|---|---|---|");
    for row in &rows {
        println!(
            "| {} | {}{} | {} |",
            row.figure,
            row.goal,
            if row.is_met { "" } else { " (missed)" },
            row.measured
        );
    }
    Ok(if rows.iter().all(|row| row.is_met) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Looks at everything now and then; the engine's memory at each look, in bytes.
async fn watch(services: &mut Services, engine: &mut EngineProcess, time: Duration) -> Result<Vec<f64>> {
    let end = Instant::now() + time;
    let mut memory = Vec::new();
    while Instant::now() < end {
        tokio::time::sleep(LOOK_EVERY).await;
        services.look();
        memory.push(engine.memory().context("the engine is gone")?);
    }
    Ok(memory)
}

fn percent_of_a_core(share: f64) -> String {
    format!("{:.2} % of a core", share * 100.0)
}

struct Row {
    figure: &'static str,
    measured: String,
    goal: &'static str,
    is_met: bool,
}

impl Row {
    fn new(figure: &'static str, measured: String, goal: &'static str, is_met: bool) -> Self {
        Self { figure, measured, goal, is_met }
    }
}

fn middle(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
