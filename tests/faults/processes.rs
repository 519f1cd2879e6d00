//! Many `usher` commands that run when a token expires.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use usher_fake_service::{FakeService, Moment, Options, Outcome};
use usher_tests::KillSwitch;

use crate::person::Person;
use crate::store::{NAME, Store};

/// The results of expiries with several processes at once.
#[derive(Debug, Default)]
pub struct Expiries {
    pub processes: u32,
    pub count: u32,
    /// Expiries that cost exactly one refresh.
    pub refreshed_once: u32,
    /// The longest time until all processes of one expiry had ended.
    pub longest: Duration,
    pub violations: Vec<String>,
}

/// Starts several processes at once at each expiry, with a server that accepts no refresh token twice.
pub async fn expire_tokens(processes: u32, count: u32) -> Result<Expiries> {
    let service = Arc::new(FakeService::start(Options::default()).await?);
    let mut person = Person::new(service, Store::File).await?;
    let mut expiries = Expiries { processes, ..Expiries::default() };
    for number in 0..count {
        let begun = Instant::now();
        let violations = expire_once(&person, processes, &mut expiries).await?;
        expiries.longest = expiries.longest.max(begun.elapsed());
        expiries.count += 1;
        if !violations.is_empty() {
            expiries.violations.extend(violations.into_iter().map(|text| format!("expiry {number}: {text}")));
            // The next expiry starts with a valid sign-in.
            person.sign_in().await?;
        }
    }
    Ok(expiries)
}

/// The results of expiries at which the holder was killed.
#[derive(Debug, Default)]
pub struct HolderKills {
    pub processes: u32,
    pub count: u32,
    pub violations: Vec<String>,
}

/// Kills the holder in the middle of its refresh, while other processes wait for the refresh. The server's grace period is
/// long, because the test checks only whether the other processes continue.
pub async fn kill_holders(processes: u32, count: u32) -> Result<HolderKills> {
    let options = Options { grace_period: LONG_GRACE_PERIOD, ..Options::default() };
    let person = Person::new(Arc::new(FakeService::start(options).await?), Store::File).await?;
    let mut kills = HolderKills { processes, ..HolderKills::default() };
    let mut tries = 0;
    while kills.count < count {
        tries += 1;
        ensure!(tries < 3 * count + 10, "the holder was never killed in the middle of a refresh");
        let moment = MOMENTS[tries as usize % MOMENTS.len()];
        let violations = kill_holder_once(&person, processes, moment, &mut kills).await?;
        kills.violations.extend(violations.into_iter().map(|text| format!("{moment:?}: {text}")));
    }
    Ok(kills)
}

/// Longer than the other processes wait on a busy machine.
const LONG_GRACE_PERIOD: Duration = Duration::from_secs(120);
const MOMENTS: [Moment; 3] = [Moment::Committed, Moment::Swallowed { carried_out: false }, Moment::Replied];

async fn kill_holder_once(
    person: &Person,
    processes: u32,
    moment: Moment,
    kills: &mut HolderKills,
) -> Result<Vec<String>> {
    let ledger = person.service.ledger();
    ledger.take_activity(person.family);
    ledger.expire(person.family);
    let switches = Arc::new(OnceLock::<HashMap<u32, KillSwitch>>::new());
    let (ready, lock_file) = (Arc::clone(&switches), person.desktop().folder("run/usher/engine.lock"));
    let kill = move || {
        let holder = std::fs::read_to_string(lock_file).ok().and_then(|text| text.trim().parse().ok());
        // The first process may refresh before the last one is started.
        if let Some(kill_switch) = holder.and_then(|holder: u32| ready.wait().get(&holder)) {
            kill_switch.fire();
        }
    };
    person.service.set_breakpoint(person.family, moment, Box::new(kill));
    let started: Vec<_> =
        (0..processes).map(|_| person.cli.start(&["tools", NAME])).collect::<Result<_>>()?;
    let by_pid = started.iter().map(|process| (process.id(), process.kill_switch())).collect();
    switches.set(by_pid).ok();
    let outputs = try_join_all(started.into_iter().map(|process| process.finish())).await?;
    person.service.clear_breakpoint(person.family);
    let killed = switches.get().map_or(0, |all| all.values().filter(|switch| switch.has_fired()).count());
    kills.count += u32::from(killed > 0);
    let mut violations = Vec::new();
    let failed = outputs.iter().filter(|output| !matches!(output.code, Some(0) | None));
    violations.extend(
        failed.map(|output| {
            format!("a waiting process exited with {:?}: {}", output.code, output.stderr.trim())
        }),
    );
    if outputs.iter().filter(|output| output.code.is_none()).count() != killed {
        violations.push("a signal that the test did not send ended a process".to_owned());
    }
    let activity = ledger.take_activity(person.family);
    if activity.refreshes.len() > 2 {
        violations.push(format!("more than two refreshes: {:?}", activity.refreshes));
    }
    violations.extend(person.compare_stored_token().await?);
    Ok(violations)
}

async fn expire_once(person: &Person, processes: u32, expiries: &mut Expiries) -> Result<Vec<String>> {
    let ledger = person.service.ledger();
    ledger.take_activity(person.family);
    ledger.expire(person.family);
    let started: Vec<_> =
        (0..processes).map(|_| person.cli.start(&["tools", NAME])).collect::<Result<_>>()?;
    let outputs = try_join_all(started.into_iter().map(|process| process.finish())).await?;
    let mut violations = Vec::new();
    for output in outputs.iter().filter(|output| output.code != Some(0)) {
        violations.push(format!("a process exited with {:?}: {}", output.code, output.stderr.trim()));
    }
    match ledger.take_activity(person.family).refreshes.as_slice() {
        [one] if matches!(one.outcome, Outcome::Rotated { .. }) => expiries.refreshed_once += 1,
        refreshes => violations.push(format!("not exactly one refresh: {refreshes:?}")),
    }
    violations.extend(person.compare_stored_token().await?);
    Ok(violations)
}
