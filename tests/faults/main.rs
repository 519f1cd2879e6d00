//! What a sign-in survives: kills, faults of the token endpoint, many processes at once. The short run; `cargo xtask
//! faults` is the long one, and `tests/faults/README.md` has its figures.

mod callers;
mod figures;
mod kill_point;
mod kills;
mod outages;
mod person;

use std::time::{Duration, Instant};

use anyhow::Result;

/// `USHER_FAULTS_SEED`, or another one each time; printed, so that a run can be had again.
fn seed() -> u64 {
    let told = std::env::var("USHER_FAULTS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = told.unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("USHER_FAULTS_SEED={seed}");
    seed
}

fn nothing_broken(broken: &[String]) {
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_within_the_grace_loses_no_sign_in() -> Result<()> {
    let begun = Instant::now();
    let kills = kills::kills(kills::GRACE, 20, seed()).await?;
    figures::print_kills("Server with 5 s of grace", &kills, begun.elapsed());
    nothing_broken(&kills.broken);
    assert_eq!((kills.total().kills, kills.total().lost), (20, 0));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_a_sign_in_only_between_sending_and_storing() -> Result<()> {
    let begun = Instant::now();
    let kills = kills::kills(Duration::ZERO, 20, seed()).await?;
    figures::print_kills("Server with no grace", &kills, begun.elapsed());
    nothing_broken(&kills.broken);
    assert_eq!((kills.total().kills, kills.total().lost), (20, kills.total().between));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_the_token_endpoint_deletes_a_sign_in() -> Result<()> {
    let (begun, seed) = (Instant::now(), seed());
    for grace in [kills::GRACE, Duration::ZERO] {
        let outages = outages::outages(grace, 100, 0, seed).await?;
        figures::print_outages(&format!("Server with {grace:?} of grace"), &outages, begun.elapsed());
        nothing_broken(&outages.broken);
        assert!(outages.total() >= 100);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_processes_at_one_expiry_make_one_refresh() -> Result<()> {
    let begun = Instant::now();
    let callers = callers::call(16, 3).await?;
    figures::print_callers(&callers, begun.elapsed());
    nothing_broken(&callers.broken);
    assert_eq!((callers.expiries, callers.refreshed_once), (3, 3));
    Ok(())
}
