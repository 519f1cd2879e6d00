//! `fault-run`: the long run of `tests/faults`, for `cargo xtask faults`. Prints its figures as the tables of
//! `tests/faults/README.md`, and fails where something was broken.

mod aftermath;
mod callers;
mod figures;
mod keeping;
mod kill_point;
mod kills;
mod outages;
mod person;
mod tally;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Parser;
use keeping::Keeping;
use kills::{GRACE, Hunt, Victim};
use outages::Outages;
use tally::Kills;

/// Kills the engine and the keychain, breaks the token endpoint under it, and lets sixteen commands at once meet one
/// expiry, a great many times
#[derive(Clone, Debug, Parser)]
#[command(name = "cargo xtask faults", bin_name = "cargo xtask faults")]
struct Arguments {
    /// Kills with a private file, one half at a server with 5 s of grace and one at a strict one
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Kills with the keychain, and of the keychain; halved in the same way
    #[arg(long, default_value_t = 200)]
    keychain_kills: u32,
    /// Faults of the token endpoint, halved in the same way
    #[arg(long, default_value_t = 10_000)]
    faults: u32,
    /// Expiries of a token, each met by sixteen processes of the command line
    #[arg(long, default_value_t = 500)]
    expiries: u32,
    /// What chance goes by, to have a run again; another one each time where it is not told
    #[arg(long)]
    seed: Option<u64>,
}

/// What is killed where, and how many parts of all those kills that is.
type Shares = [(Victim, Keeping, u32)];
const WITH_FILE: &Shares = &[(Victim::Lists, Keeping::File, 3), (Victim::Waits, Keeping::File, 1)];
const WITH_KEYCHAIN: &Shares = &[
    (Victim::Lists, Keeping::Keychain, 2),
    (Victim::Lists, Keeping::KeychainInParts, 2),
    (Victim::Waits, Keeping::Keychain, 1),
];
const OF_KEYCHAIN: &Shares =
    &[(Victim::Keychain, Keeping::Keychain, 2), (Victim::Keychain, Keeping::KeychainInParts, 1)];
const SERVERS: [(&str, Duration); 2] = [("5 s of grace", GRACE), ("no grace", Duration::ZERO)];
const PROCESSES: u32 = 16;
/// Of this many faults, one is a silence until the deadline.
const FAULTS_A_SILENCE: u32 = 500;

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seed = arguments.seed.unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!(
        "Seed {seed}; {} kills with a file, {} with the keychain, {} faults, {PROCESSES} processes × {} expiries.",
        arguments.kills, arguments.keychain_kills, arguments.faults, arguments.expiries
    );
    let begun = Instant::now();
    let mut broken = Vec::new();
    let ended = run(&arguments, seed, &mut broken).await;
    println!("\nThe whole run took {} s. Broken: {}.", begun.elapsed().as_secs(), broken.len());
    broken.iter().take(50).for_each(|what| println!("- {what}"));
    match ended {
        Ok(()) if broken.is_empty() => ExitCode::SUCCESS,
        Ok(()) => ExitCode::FAILURE,
        Err(error) => {
            println!("The run ended early: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments, seed: u64, broken: &mut Vec<String>) -> Result<()> {
    // The keychain's kills are eighths: five of commands beside it, three of its own.
    let (beside, of) = (arguments.keychain_kills * 5 / 8, arguments.keychain_kills * 3 / 8);
    for (title, shares, count) in [
        ("Kills with a private file", WITH_FILE, arguments.kills),
        ("Kills with the keychain", WITH_KEYCHAIN, beside),
        ("Kills of the keychain", OF_KEYCHAIN, of),
    ] {
        if count > 0 {
            broken.extend(kill(title, shares, count, seed).await?);
        }
    }
    if arguments.faults > 0 {
        broken.extend(fail(arguments.faults, seed).await?);
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
    Ok(())
}

async fn kill(title: &str, shares: &Shares, count: u32, seed: u64) -> Result<Vec<String>> {
    let begun = Instant::now();
    let all: u32 = shares.iter().map(|(_, _, share)| share).sum();
    let mut both = Vec::new();
    for (server, grace) in SERVERS {
        let mut kills = Kills::default();
        for &(victim, keeping, share) in shares {
            let hunt = Hunt { victim, keeping, grace };
            kills = kills.merge(kills::kills(hunt, (count * share).div_ceil(all * 2), seed).await?);
        }
        both.push((server, kills));
    }
    let servers: Vec<_> = both.iter().map(|(server, kills)| (*server, kills)).collect();
    figures::print_kills(title, &servers, begun.elapsed());
    Ok(both.into_iter().flat_map(|(_, kills)| kills.broken).collect())
}

async fn fail(count: u32, seed: u64) -> Result<Vec<String>> {
    let (begun, count) = (Instant::now(), count.div_ceil(2));
    let mut both: Vec<(&str, Outages)> = Vec::new();
    for (server, grace) in SERVERS {
        both.push((server, outages::outages(grace, count, count.div_ceil(FAULTS_A_SILENCE), seed).await?));
    }
    let servers: Vec<_> = both.iter().map(|(server, outages)| (*server, outages)).collect();
    figures::print_outages("Faults of the token endpoint", &servers, begun.elapsed());
    Ok(both.into_iter().flat_map(|(_, outages)| outages.broken).collect())
}
