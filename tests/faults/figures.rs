//! The figures of a run, as the tables of `tests/faults/README.md`.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::callers::{Callers, Orphans};
use crate::outages::{GENUINE, Outages};
use crate::tally::{AtPoint, Kills};

/// One table, with a server's figures beside another's.
pub fn print_kills(title: &str, servers: &[(&str, &Kills)], took: Duration) {
    println!("\n### {title}\n");
    let heads = servers.iter().map(|(server, _)| format!(" {server}: kills | between | sign-ins lost |"));
    println!("| killed |{}", heads.collect::<String>());
    println!("|---|{}", "--:|--:|--:|".repeat(servers.len()));
    let names: BTreeSet<_> = servers.iter().flat_map(|(_, kills)| kills.points.keys()).collect();
    for name in names {
        let points = servers.iter().map(|(_, kills)| kills.points.get(name).copied().unwrap_or_default());
        print_line(name, points);
    }
    print_line("**all**", servers.iter().map(|(_, kills)| kills.total()));
    let sum = |count: fn(&Kills) -> usize| servers.iter().map(|(_, kills)| count(kills)).sum::<usize>();
    println!(
        "\n{} kills, {} s. {} more runs were over before their moment came, and are not counted. Broken: {}.",
        sum(|kills| kills.total().kills as usize),
        took.as_secs(),
        sum(|kills| kills.escaped as usize),
        sum(|kills| kills.broken.len()),
    );
}

fn print_line(name: &str, points: impl Iterator<Item = AtPoint>) {
    let cells = points.map(|point| format!(" {} | {} | {} |", point.kills, point.between, point.lost));
    println!("| {name} |{}", cells.collect::<String>());
}

/// One table, with a server's figures beside another's.
pub fn print_outages(title: &str, servers: &[(&str, &Outages)], took: Duration) {
    println!("\n### {title}\n");
    println!("| fault |{}", servers.iter().map(|(server, _)| format!(" {server} |")).collect::<String>());
    println!("|---|{}", "--:|".repeat(servers.len()));
    let names: BTreeSet<_> = servers.iter().flat_map(|(_, outages)| outages.met.keys()).collect();
    for name in names {
        let counts = servers.iter().map(|(_, outages)| outages.met.get(name).copied().unwrap_or_default());
        println!("| {name} |{}", counts.map(|count| format!(" {count} |")).collect::<String>());
    }
    let totals = servers.iter().map(|(_, outages)| format!(" {} |", outages.total()));
    println!("| **all** |{}", totals.collect::<String>());
    println!("\n{} s.", took.as_secs());
    for (server, outages) in servers {
        let meant = outages.met.get(GENUINE).copied().unwrap_or_default();
        println!(
            "{server}: {} sign-ins ended, each with `invalid_grant`: {meant} by the server's own will, {} because the \
             answer to a rotation was lost. Broken: {}.",
            outages.ended,
            outages.ended.saturating_sub(meant),
            outages.broken.len()
        );
    }
}

pub fn print_callers(callers: &Callers, took: Duration) {
    println!("\n### Processes at one expiry\n");
    println!(
        "{} processes × {} expiries; {} of them cost exactly one refresh; the longest took {:.1} s. Broken: {}. {} s.",
        callers.processes,
        callers.expiries,
        callers.refreshed_once,
        callers.longest.as_secs_f64(),
        callers.broken.len(),
        took.as_secs()
    );
}

pub fn print_orphans(orphans: &Orphans, took: Duration) {
    println!("\n### The holder killed among those who wait\n");
    println!(
        "{} processes, {} kills of the one that ran the engine for all. Broken: {}. {} s.",
        orphans.processes,
        orphans.kills,
        orphans.broken.len(),
        took.as_secs()
    );
}
