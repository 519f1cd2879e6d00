//! Many processes of the command line at one expiry after the other.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use futures::future::try_join_all;
use usher_tests::Blow;
use usher_tests::strict_service::{Moment, Outcome, StrictOptions, StrictService};

use crate::keeping::Keeping;
use crate::person::{NAME, Person, TIMEOUT};

/// What became of the expiries.
#[derive(Debug, Default)]
pub struct Callers {
    pub processes: u32,
    pub expiries: u32,
    /// Expiries that cost exactly one refresh.
    pub refreshed_once: u32,
    /// The longest that the processes of one expiry took.
    pub longest: Duration,
    /// What must not be.
    pub broken: Vec<String>,
}

/// So many processes at once at each of so many expiries, at a server that forgives no second use.
pub async fn call(processes: u32, expiries: u32) -> Result<Callers> {
    let service = Arc::new(StrictService::start(StrictOptions::default()).await?);
    let mut person = Person::new(service, Keeping::File).await?;
    let mut callers = Callers { processes, ..Callers::default() };
    for number in 0..expiries {
        let begun = Instant::now();
        let broken = expire_once(&person, processes, &mut callers).await?;
        callers.longest = callers.longest.max(begun.elapsed());
        callers.expiries += 1;
        if !broken.is_empty() {
            callers.broken.extend(broken.into_iter().map(|what| format!("expiry {number}: {what}")));
            // The next expiry begins with a sign-in that is whole.
            person.sign_in().await?;
        }
    }
    Ok(callers)
}

/// What became of the expiries at which the process that ran the engine for all was killed.
#[derive(Debug, Default)]
pub struct Orphans {
    pub processes: u32,
    pub kills: u32,
    /// What must not be.
    pub broken: Vec<String>,
}

/// At each of so many expiries the process that holds the engine is killed in the middle of its refresh, while the
/// others wait for it. The server has patience: what is seen here is that the others go on by themselves.
pub async fn orphan(processes: u32, kills: u32) -> Result<Orphans> {
    let options = StrictOptions { grace: LONG_GRACE, ..StrictOptions::default() };
    let person = Person::new(Arc::new(StrictService::start(options).await?), Keeping::File).await?;
    let mut orphans = Orphans { processes, ..Orphans::default() };
    let mut tries = 0;
    while orphans.kills < kills {
        tries += 1;
        ensure!(tries < 3 * kills + 10, "the holder is not met in the middle of a refresh");
        let moment = MOMENTS[tries as usize % MOMENTS.len()];
        let broken = orphan_once(&person, processes, moment, &mut orphans).await?;
        orphans.broken.extend(broken.into_iter().map(|what| format!("{moment:?}: {what}")));
    }
    Ok(orphans)
}

/// Longer than a busy machine lets any of the others wait.
const LONG_GRACE: Duration = Duration::from_secs(120);
const MOMENTS: [Moment; 3] = [Moment::Committed, Moment::Arrived { carried_out: false }, Moment::Replied];

async fn orphan_once(
    person: &Person,
    processes: u32,
    moment: Moment,
    orphans: &mut Orphans,
) -> Result<Vec<String>> {
    let ledger = person.service.ledger();
    ledger.turn_page(person.family);
    ledger.expire(person.family);
    let blows = Arc::new(OnceLock::<HashMap<u32, Blow>>::new());
    let (ready, lock_file) = (Arc::clone(&blows), person.lock_file());
    let strike = move || {
        let holder = std::fs::read_to_string(lock_file).ok().and_then(|text| text.trim().parse().ok());
        // The first one may be here before the last one was started.
        if let Some(blow) = holder.and_then(|holder: u32| ready.wait().get(&holder)) {
            blow.deal();
        }
    };
    person.service.set_trap(person.family, moment, Box::new(strike));
    let started: Vec<_> = (0..processes).map(|_| person.start(&["tools", NAME])).collect::<Result<_>>()?;
    let by_number = started.iter().map(|process| (process.id(), process.blow())).collect();
    blows.set(by_number).ok();
    let outputs = try_join_all(started.into_iter().map(|process| process.finish(TIMEOUT))).await?;
    person.service.clear_trap(person.family);
    let killed = blows.get().map_or(0, |blows| blows.values().filter(|blow| blow.was_dealt()).count());
    orphans.kills += u32::from(killed > 0);
    let mut broken = Vec::new();
    let failed: Vec<_> = outputs.iter().filter(|output| !matches!(output.code, Some(0) | None)).collect();
    broken.extend(failed.iter().map(|output| {
        format!("one of those who waited ended with {:?}: {}", output.code, output.stderr.trim())
    }));
    if outputs.iter().filter(|output| output.code.is_none()).count() != killed {
        broken.push("a process ended by a signal that was not ours".to_owned());
    }
    let page = ledger.turn_page(person.family);
    if page.refreshes.len() > 2 {
        broken.push(format!("it cost {:?}", page.refreshes));
    }
    let standing = ledger.standing(person.family);
    let kept = person.kept().await?.map(|(_, number)| number);
    if kept != standing.map(|standing| standing.current) || standing.is_none_or(|standing| standing.ended) {
        broken.push(format!("the server is at {standing:?}, the store at {kept:?}"));
    }
    Ok(broken)
}

async fn expire_once(person: &Person, processes: u32, callers: &mut Callers) -> Result<Vec<String>> {
    let ledger = person.service.ledger();
    ledger.turn_page(person.family);
    ledger.expire(person.family);
    let started: Vec<_> = (0..processes).map(|_| person.start(&["tools", NAME])).collect::<Result<_>>()?;
    let outputs = try_join_all(started.into_iter().map(|process| process.finish(TIMEOUT))).await?;
    let mut broken = Vec::new();
    for output in outputs.iter().filter(|output| output.code != Some(0)) {
        broken.push(format!("a process ended with {:?}: {}", output.code, output.stderr.trim()));
    }
    let page = ledger.turn_page(person.family);
    let standing = ledger.standing(person.family);
    match page.refreshes.as_slice() {
        [one] if matches!(one.outcome, Outcome::Rotated { .. }) => callers.refreshed_once += 1,
        refreshes => broken.push(format!("it cost {refreshes:?}")),
    }
    if standing.is_none_or(|standing| standing.ended) {
        broken.push("the family is revoked".to_owned());
    }
    let kept = person.kept().await?.map(|(_, number)| number);
    if kept != standing.map(|standing| standing.current) {
        broken.push(format!("the server is at {standing:?}, the store at {kept:?}"));
    }
    Ok(broken)
}
