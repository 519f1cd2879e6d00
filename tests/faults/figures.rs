//! The figures of a long run, as the tables of `tests/faults/README.md`.

use std::time::Duration;

use crate::callers::{Callers, Orphans};
use crate::kills::Kills;
use crate::outages::Outages;

pub fn print_kills(title: &str, kills: &Kills, took: Duration) {
    println!("\n### {title}\n");
    println!("| killed | kills | between rotation and storing | sign-ins lost |");
    println!("|---|--:|--:|--:|");
    for (name, point) in &kills.points {
        println!("| {name} | {} | {} | {} |", point.kills, point.between, point.lost);
    }
    let total = kills.total();
    println!("| **all** | **{}** | **{}** | **{}** |", total.kills, total.between, total.lost);
    println!(
        "\nBroken: {}. {} s. {} runs were over before their moment and are not counted.",
        kills.broken.len(),
        took.as_secs(),
        kills.escaped
    );
}

pub fn print_outages(title: &str, outages: &Outages, took: Duration) {
    println!("\n### {title}\n");
    println!("| fault | met |");
    println!("|---|--:|");
    for (name, count) in &outages.met {
        println!("| {name} | {count} |");
    }
    println!("| **all** | **{}** |", outages.total());
    println!(
        "\nSign-ins that ended: {}, each by a genuine `invalid_grant`. Broken: {}. {} s.",
        outages.ended,
        outages.broken.len(),
        took.as_secs()
    );
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
