//! `fault-run`: the long run of `tests/faults`, for `cargo xtask faults`. Prints its figures as the tables of
//! `tests/faults/README.md`, and fails where something was broken.

mod callers;
mod figures;
mod kill_point;
mod kills;
mod outages;
mod person;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use kills::Victim;

#[derive(Clone, Debug, Parser)]
struct Arguments {
    /// Kills, one half at a server with 5 s of grace and one at a strict one
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Faults of the token endpoint, one half at each of these servers
    #[arg(long, default_value_t = 10_000)]
    faults: u32,
    /// Expiries with sixteen processes each
    #[arg(long, default_value_t = 500)]
    expiries: u32,
    /// What chance goes by; another one each time where it is not told
    #[arg(long)]
    seed: Option<u64>,
}

/// What is killed, and how many eighths of all kills that is at each of the two servers.
const WAYS_OF_KILLING: [(&str, Victim, u32); 2] =
    [("while it lists tools", Victim::Lists, 3), ("while a call waits", Victim::Waits, 1)];
const PROCESSES: u32 = 16;
/// Of this many faults, one is a silence until the deadline.
const FAULTS_A_SILENCE: u32 = 500;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("Seed {seed}.");
    match run(&arguments, seed).await {
        Ok(broken) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(broken) => {
            println!("\nBroken, {} times:", broken.len());
            broken.iter().take(50).for_each(|what| println!("- {what}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the run ended early: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, seed: u64) -> Result<Vec<String>> {
    let mut broken = Vec::new();
    for (server, grace) in [("5 s of grace", kills::GRACE), ("no grace", Duration::ZERO)] {
        for (what, victim, share) in WAYS_OF_KILLING {
            let count = arguments.kills * share / 8;
            if count == 0 {
                continue;
            }
            let begun = Instant::now();
            let kills = kills::kills(grace, victim, count, seed).await?;
            figures::print_kills(&format!("Kills {what}, server with {server}"), &kills, begun.elapsed());
            broken.extend(kills.broken);
        }
        if arguments.faults > 0 {
            let (begun, faults) = (Instant::now(), arguments.faults.div_ceil(2));
            let outages = outages::outages(grace, faults, faults.div_ceil(FAULTS_A_SILENCE), seed).await?;
            figures::print_outages(&format!("Faults, server with {server}"), &outages, begun.elapsed());
            broken.extend(outages.broken);
        }
    }
    if arguments.expiries > 0 {
        let begun = Instant::now();
        let callers = callers::call(PROCESSES, arguments.expiries).await?;
        figures::print_callers(&callers, begun.elapsed());
        broken.extend(callers.broken);
        let begun = Instant::now();
        let orphans = callers::orphan(PROCESSES, arguments.expiries.div_ceil(10)).await?;
        figures::print_orphans(&orphans, begun.elapsed());
        broken.extend(orphans.broken);
    }
    Ok(broken)
}
