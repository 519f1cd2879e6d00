//! Tests that a sign-in survives kills, faults of the token endpoint, and many processes at once. This is the short
//! run. `cargo xtask faults` is the long run; its results are in `tests/faults/README.md`.

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

use std::time::{Duration, Instant};

use anyhow::Result;
use kills::{GRACE_PERIOD, KillPlan};
use store::Store;
use victim::Victim;

/// `USHER_FAULTS_SEED`, or a random seed. It is printed, so that a run can be repeated.
fn seed() -> u64 {
    let given = std::env::var("USHER_FAULTS_SEED").ok().and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| rand::random_range(0..1_000_000));
    println!("USHER_FAULTS_SEED={seed}");
    seed
}

fn assert_none(violations: &[String]) {
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

/// Runs at least this many kills. With a grace period, no kill may lose a sign-in. Without one, only a kill between
/// sending and storing may lose it.
async fn run_kills(victim: Victim, store: Store, grace_period: Duration, count: u32) -> Result<()> {
    let begun = Instant::now();
    let kills = kills::kills(KillPlan { victim, store, grace_period }, count, seed()).await?;
    report::print_kills("Kills", &[(&format!("grace period of {grace_period:?}"), &kills)], begun.elapsed());
    assert_none(&kills.violations);
    let total = kills.total();
    assert!(total.kills >= count);
    assert_eq!(total.lost, if grace_period.is_zero() { total.between } else { 0 });
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_within_the_grace_period_loses_no_sign_in() -> Result<()> {
    run_kills(Victim::ListCommand, Store::File, GRACE_PERIOD, 20).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_a_sign_in_only_between_sending_and_storing() -> Result<()> {
    run_kills(Victim::ListCommand, Store::File, Duration::ZERO, 20).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_during_an_automatic_refresh_loses_no_sign_in() -> Result<()> {
    run_kills(Victim::WaitingCommand, Store::File, GRACE_PERIOD, 12).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_with_the_keychain_within_the_grace_period_loses_no_sign_in() -> Result<()> {
    run_kills(Victim::ListCommand, Store::Keychain, GRACE_PERIOD, 10).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_with_the_keychain_loses_a_sign_in_only_between_sending_and_storing() -> Result<()> {
    run_kills(Victim::ListCommand, Store::KeychainInParts, Duration::ZERO, 10).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_of_the_keychain_loses_a_sign_in_only_between_sending_and_storing() -> Result<()> {
    for (store, grace_period) in [(Store::Keychain, GRACE_PERIOD), (Store::KeychainInParts, Duration::ZERO)] {
        run_kills(Victim::Keychain, store, grace_period, 6).await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_the_token_endpoint_deletes_a_sign_in() -> Result<()> {
    let (begun, seed) = (Instant::now(), seed());
    for grace_period in [GRACE_PERIOD, Duration::ZERO] {
        let outages = outages::outages(grace_period, 60, 0, seed).await?;
        let server = format!("grace period of {grace_period:?}");
        report::print_outages("Faults", &[(&server, &outages)], begun.elapsed());
        assert_none(&outages.violations);
        assert!(outages.total() >= 60);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_processes_at_one_expiry_make_one_refresh() -> Result<()> {
    let begun = Instant::now();
    let expiries = processes::expire_tokens(16, 3).await?;
    report::print_expiries(&expiries, begun.elapsed());
    assert_none(&expiries.violations);
    assert_eq!((expiries.count, expiries.refreshed_once), (3, 3));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_wait_for_a_killed_holder_continue() -> Result<()> {
    let begun = Instant::now();
    let kills = processes::kill_holders(8, 3).await?;
    report::print_holder_kills(&kills, begun.elapsed());
    assert_none(&kills.violations);
    Ok(())
}
