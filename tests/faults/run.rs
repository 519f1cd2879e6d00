//! `fault-run`: the long run of `tests/faults`, for `cargo xtask faults`. Prints its results as the tables of
//! `tests/faults/README.md`, and fails if there was a violation.

mod aftermath;
mod kill_counts;
mod kill_moment;
mod kills;
mod outages;
mod person;
mod processes;
mod report;
mod store;
mod victim;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use kill_counts::Kills;
use kills::{GRACE_PERIOD, KillPlan};
use outages::Outages;
use store::Store;
use victim::Victim;

/// Kills the engine and the keychain, breaks the token endpoint, and starts sixteen commands at each expiry of a token
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
struct Arguments {
    /// Kills with a private file: half with a server that has a grace period of 5 s, half with one that has none
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Kills of commands that use the keychain, and kills of the keychain itself; split in the same way
    #[arg(long, default_value_t = 200)]
    keychain_kills: u32,
    /// Faults of the token endpoint, split in the same way
    #[arg(long, default_value_t = 10_000)]
    faults: u32,
    /// Expiries of a token, with sixteen concurrent commands at each
    #[arg(long, default_value_t = 500)]
    expiries: u32,
    /// The seed of an earlier run, to repeat it; random by default
    #[arg(long)]
    seed: Option<u64>,
}

/// The victims and stores of one group of kills, each with its share of the kills.
type Shares = [(Victim, Store, u32)];
const WITH_FILE: &Shares = &[(Victim::ListCommand, Store::File, 3), (Victim::WaitingCommand, Store::File, 1)];
const WITH_KEYCHAIN: &Shares = &[
    (Victim::ListCommand, Store::Keychain, 2),
    (Victim::ListCommand, Store::KeychainInParts, 2),
    (Victim::WaitingCommand, Store::Keychain, 1),
];
const OF_KEYCHAIN: &Shares =
    &[(Victim::Keychain, Store::Keychain, 2), (Victim::Keychain, Store::KeychainInParts, 1)];
const SERVERS: [(&str, Duration); 2] =
    [("grace period of 5 s", GRACE_PERIOD), ("no grace period", Duration::ZERO)];
const PROCESSES: u32 = 16;
/// One of this many faults is a response that never comes.
const FAULTS_PER_SILENCE: u32 = 500;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!(
        "Seed {seed}; {} kills with a file, {} with the keychain, {} faults, {PROCESSES} processes × {} expiries.",
        arguments.kills, arguments.keychain_kills, arguments.faults, arguments.expiries
    );
    let begun = Instant::now();
    let mut violations = Vec::new();
    let ended = run(&arguments, seed, &mut violations).await;
    println!("\nThe whole run took {} s. Violations: {}.", begun.elapsed().as_secs(), violations.len());
    violations.iter().take(50).for_each(|violation| println!("- {violation}"));
    match ended {
        Ok(()) if violations.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            println!("The run ended early: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, seed: u64, violations: &mut Vec<String>) -> Result<()> {
    // Five eighths of the keychain kills are kills of commands, three eighths of the keychain itself.
    let (of_commands, of_keychain) = (arguments.keychain_kills * 5 / 8, arguments.keychain_kills * 3 / 8);
    for (title, shares, count) in [
        ("Kills with a private file", WITH_FILE, arguments.kills),
        ("Kills with the keychain", WITH_KEYCHAIN, of_commands),
        ("Kills of the keychain", OF_KEYCHAIN, of_keychain),
    ] {
        if count > 0 {
            violations.extend(kill(title, shares, count, seed).await?);
        }
    }
    if arguments.faults > 0 {
        violations.extend(fail(arguments.faults, seed).await?);
    }
    if arguments.expiries > 0 {
        let begun = Instant::now();
        let expiries = processes::expire_tokens(PROCESSES, arguments.expiries).await?;
        report::print_expiries(&expiries, begun.elapsed());
        violations.extend(expiries.violations);
        let begun = Instant::now();
        let kills = processes::kill_holders(PROCESSES, arguments.expiries.div_ceil(10)).await?;
        report::print_holder_kills(&kills, begun.elapsed());
        violations.extend(kills.violations);
    }
    Ok(())
}

async fn kill(title: &str, shares: &Shares, count: u32, seed: u64) -> Result<Vec<String>> {
    let begun = Instant::now();
    let all: u32 = shares.iter().map(|(_, _, share)| share).sum();
    let mut results = Vec::new();
    for (server, grace_period) in SERVERS {
        let mut kills = Kills::default();
        for &(victim, store, share) in shares {
            let plan = KillPlan { victim, store, grace_period };
            kills = kills.merge(kills::kills(plan, (count * share).div_ceil(all * 2), seed).await?);
        }
        results.push((server, kills));
    }
    let servers: Vec<_> = results.iter().map(|(server, kills)| (*server, kills)).collect();
    report::print_kills(title, &servers, begun.elapsed());
    Ok(results.into_iter().flat_map(|(_, kills)| kills.violations).collect())
}

async fn fail(count: u32, seed: u64) -> Result<Vec<String>> {
    let (begun, count) = (Instant::now(), count.div_ceil(2));
    let silences = count.div_ceil(FAULTS_PER_SILENCE);
    let mut results: Vec<(&str, Outages)> = Vec::new();
    for (server, grace_period) in SERVERS {
        results.push((server, outages::outages(grace_period, count, silences, seed).await?));
    }
    let servers: Vec<_> = results.iter().map(|(server, outages)| (*server, outages)).collect();
    report::print_outages("Faults of the token endpoint", &servers, begun.elapsed());
    Ok(results.into_iter().flat_map(|(_, outages)| outages.violations).collect())
}
