//! Many processes of the command line at one expiry after the other.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use futures::future::try_join_all;
use usher_tests::strict_service::{Outcome, StrictOptions, StrictService};

use crate::person::{NAME, PATIENCE, Person};

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
    let mut person = Person::new(service).await?;
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

async fn expire_once(person: &Person, processes: u32, callers: &mut Callers) -> Result<Vec<String>> {
    let ledger = person.service.ledger();
    ledger.turn_page(person.family);
    ledger.expire(person.family);
    let started: Vec<_> = (0..processes).map(|_| person.start(&["tools", NAME])).collect::<Result<_>>()?;
    let outputs = try_join_all(started.into_iter().map(|process| process.finish(PATIENCE))).await?;
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
