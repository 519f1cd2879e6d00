//! The results of a run, as the tables of `tests/faults/README.md`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::kill_counts::{Kills, MomentCount};
use crate::outages::{Outages, REVOKED};
use crate::processes::{Expiries, HolderKills};

/// Prints one table, with one group of columns for each server.
pub fn print_kills(title: &str, servers: &[(&str, &Kills)], took: Duration) {
    println!("\n### {title}\n");
    let heads = servers
        .iter()
        .map(|(server, _)| format!(" {server}: kills | between rotation and storing | sign-ins lost |"));
    println!("| killed |{}", heads.collect::<String>());
    println!("|---|{}", "--:|--:|--:|".repeat(servers.len()));
    let names: BTreeSet<_> = servers.iter().flat_map(|(_, kills)| kills.moments.keys()).collect();
    for name in names {
        let counts = servers.iter().map(|(_, kills)| kills.moments.get(name).copied().unwrap_or_default());
        print_line(name, counts);
    }
    print_line("**all**", servers.iter().map(|(_, kills)| kills.total()));
    let sum = |count: fn(&Kills) -> usize| servers.iter().map(|(_, kills)| count(kills)).sum::<usize>();
    println!(
        "\n{} kills, {} s. {} more runs ended before the kill and are not counted. Violations: {}.",
        sum(|kills| kills.total().kills as usize),
        took.as_secs(),
        sum(|kills| kills.missed as usize),
        sum(|kills| kills.violations.len()),
    );
}

fn print_line(name: &str, counts: impl Iterator<Item = MomentCount>) {
    let cells = counts.map(|count| format!(" {} | {} | {} |", count.kills, count.between, count.lost));
    println!("| {name} |{}", cells.collect::<String>());
}

/// Prints one table, with one column for each server.
pub fn print_outages(title: &str, servers: &[(&str, &Outages)], took: Duration) {
    println!("\n### {title}\n");
    println!("| fault |{}", servers.iter().map(|(server, _)| format!(" {server} |")).collect::<String>());
    println!("|---|{}", "--:|".repeat(servers.len()));
    let names: BTreeSet<_> = servers.iter().flat_map(|(_, outages)| outages.faults.keys()).collect();
    for name in names {
        let counts = servers.iter().map(|(_, outages)| outages.faults.get(name).copied().unwrap_or_default());
        println!("| {name} |{}", counts.map(|count| format!(" {count} |")).collect::<String>());
    }
    let totals = servers.iter().map(|(_, outages)| format!(" {} |", outages.total()));
    println!("| **all** |{}", totals.collect::<String>());
    println!("\n{} s.", took.as_secs());
    for (server, outages) in servers {
        let revoked = outages.faults.get(REVOKED).copied().unwrap_or_default();
        println!(
            "{server}: {} sign-ins ended, each with `invalid_grant`: {revoked} revoked by the server, {} because the \
             response to a refresh was lost. Violations: {}.",
            outages.ended,
            outages.ended.saturating_sub(revoked),
            outages.violations.len()
        );
    }
}

pub fn print_expiries(expiries: &Expiries, took: Duration) {
    println!("\n### Many processes when one access token expires\n");
    println!(
        "{} processes × {} expiries. {} of them led to exactly one refresh. The longest took {:.1} s. Violations: {}. {} s.",
        expiries.processes,
        expiries.count,
        expiries.refreshed_once,
        expiries.longest.as_secs_f64(),
        expiries.violations.len(),
        took.as_secs()
    );
}

pub fn print_holder_kills(kills: &HolderKills, took: Duration) {
    println!("\n### Kills of the engine's holder\n");
    println!(
        "{} processes, {} kills of the process that held the engine. Violations: {}. {} s.",
        kills.processes,
        kills.count,
        kills.violations.len(),
        took.as_secs()
    );
}
