//! What a sign-in survives: kills, faults of the token endpoint, many processes at once. The short run; `cargo xtask
//! faults` is the long one, and `tests/faults/README.md` has its figures.

mod aftermath;
mod callers;
mod figures;
mod keeping;
mod kill_point;
mod kills;
mod outages;
mod person;
mod tally;

use std::time::{Duration, Instant};

use anyhow::Result;
use keeping::Keeping;
use kills::{GRACE, Hunt, Victim};
use tally::AtPoint;

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

async fn killed(victim: Victim, keeping: Keeping, grace: Duration, count: u32) -> Result<AtPoint> {
    let begun = Instant::now();
    let kills = kills::kills(Hunt { victim, keeping, grace }, count, seed()).await?;
    figures::print_kills("Kills", &[(&format!("{grace:?} of grace"), &kills)], begun.elapsed());
    nothing_broken(&kills.broken);
    assert!(kills.total().kills >= count);
    Ok(kills.total())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_within_the_grace_loses_no_sign_in() -> Result<()> {
    let total = killed(Victim::Lists, Keeping::File, GRACE, 20).await?;
    assert_eq!(total.lost, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_loses_a_sign_in_only_between_sending_and_storing() -> Result<()> {
    let total = killed(Victim::Lists, Keeping::File, Duration::ZERO, 20).await?;
    assert_eq!(total.lost, total.between);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_while_it_renews_by_itself_loses_no_sign_in_either() -> Result<()> {
    let total = killed(Victim::Waits, Keeping::File, GRACE, 12).await?;
    assert_eq!(total.lost, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_beside_the_keychain_within_the_grace_loses_no_sign_in() -> Result<()> {
    let total = killed(Victim::Lists, Keeping::Keychain, GRACE, 10).await?;
    assert_eq!(total.lost, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_beside_the_keychain_loses_a_sign_in_only_between_sending_and_storing() -> Result<()> {
    let total = killed(Victim::Lists, Keeping::KeychainInParts, Duration::ZERO, 10).await?;
    assert_eq!(total.lost, total.between);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_of_the_keychain_loses_only_what_fell_between() -> Result<()> {
    for (keeping, grace) in [(Keeping::Keychain, GRACE), (Keeping::KeychainInParts, Duration::ZERO)] {
        let total = killed(Victim::Keychain, keeping, grace, 6).await?;
        assert_eq!(total.lost, if grace.is_zero() { total.between } else { 0 });
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_the_token_endpoint_deletes_a_sign_in() -> Result<()> {
    let (begun, seed) = (Instant::now(), seed());
    for grace in [GRACE, Duration::ZERO] {
        let outages = outages::outages(grace, 60, 0, seed).await?;
        figures::print_outages("Faults", &[(&format!("{grace:?} of grace"), &outages)], begun.elapsed());
        nothing_broken(&outages.broken);
        assert!(outages.total() >= 60);
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

#[tokio::test(flavor = "multi_thread")]
async fn those_who_wait_for_a_killed_process_go_on_by_themselves() -> Result<()> {
    let begun = Instant::now();
    let orphans = callers::orphan(8, 3).await?;
    figures::print_orphans(&orphans, begun.elapsed());
    nothing_broken(&orphans.broken);
    Ok(())
}
