//! Kills of a process that runs the engine, and what the next one finds.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;
use usher_tests::strict_service::{Moment, Outcome, Page, Refusal, StrictOptions, StrictService};

use crate::kill_point::{Ambush, KillPoint};
use crate::person::{NAME, PATIENCE, Person};

/// How long the kind server still takes a refresh token after its rotation.
pub const GRACE: Duration = Duration::from_secs(5);
/// The exit code for a sign-in that is needed.
const SIGN_IN_NEEDED: i32 = 3;

/// How the command says that a renewal was cut off.
const CUT_OFF: &str = "was cut off";

/// What became of the kills at one server.
#[derive(Debug, Default)]
pub struct Kills {
    pub points: BTreeMap<&'static str, AtPoint>,
    /// Runs that were over before their moment came; they count for nothing.
    pub escaped: u32,
    /// What must not be.
    pub broken: Vec<String>,
}

/// The kills at one point.
#[derive(Clone, Copy, Debug, Default)]
pub struct AtPoint {
    pub kills: u32,
    /// The server had rotated the token, and the new one was not stored.
    pub between: u32,
    /// The next run had to say that a sign-in is needed.
    pub lost: u32,
}

impl Kills {
    pub fn total(&self) -> AtPoint {
        self.points.values().fold(AtPoint::default(), |sum, point| AtPoint {
            kills: sum.kills + point.kills,
            between: sum.between + point.between,
            lost: sum.lost + point.lost,
        })
    }

    /// The two together.
    fn merge(mut self, other: Kills) -> Kills {
        for (name, point) in other.points {
            let sum = self.points.entry(name).or_default();
            sum.kills += point.kills;
            sum.between += point.between;
            sum.lost += point.lost;
        }
        self.escaped += other.escaped;
        self.broken.extend(other.broken);
        self
    }
}

/// What the process does that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// Lists the tools, and finds that its token is no longer good.
    Lists,
    /// Waits in a call, and renews by itself what is about to end.
    Waits,
}

impl Victim {
    /// How many are killed side by side: who waits takes time, and no power.
    fn side_by_side(self) -> u32 {
        match self {
            Self::Lists => 2,
            Self::Waits => 6,
        }
    }

    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Lists => &["tools", NAME],
            Self::Waits => &["call", NAME, "wait", "--timeout", "600"],
        }
    }

    /// How long an access token lives.
    fn life(self) -> Duration {
        match self {
            Self::Lists => Duration::from_secs(3600),
            Self::Waits => Duration::from_secs(4),
        }
    }
}

/// At least `count` kills at servers with this grace.
pub async fn kills(grace: Duration, victim: Victim, count: u32, seed: u64) -> Result<Kills> {
    let share = count.div_ceil(victim.side_by_side());
    let runs = (0..victim.side_by_side()).map(|worker| {
        // Each with other points first, so that a short run has them all.
        tokio::spawn(kill(grace, victim, share, worker * share, seed + u64::from(worker)))
    });
    let all = try_join_all(runs).await.context("a worker broke down")?;
    all.into_iter().try_fold(Kills::default(), |sum, kills| Ok(sum.merge(kills?)))
}

/// Kills one person's engine, beginning with the point of number `first`.
async fn kill(grace: Duration, victim: Victim, count: u32, first: u32, seed: u64) -> Result<Kills> {
    let service = StrictService::start(StrictOptions { grace, life: victim.life() }).await?;
    let mut person = Person::new(Arc::new(service)).await?;
    let mut random = StdRng::seed_from_u64(seed);
    let listing = whole_run(&person).await?;
    let whole_run = match victim {
        Victim::Lists => listing,
        Victim::Waits => victim.life(),
    };
    let mut kills = Kills::default();
    let mut number = first;
    let mut escaped_in_a_row = 0;
    while kills.total().kills < count {
        let point = KillPoint::nth(number, whole_run, &mut random);
        if victim == Victim::Waits && point == KillPoint::Server(Moment::TokenUsed) {
            // Nobody asks for anything while the call waits.
            number += 1;
            continue;
        }
        let case = Case { number, victim, point, grace };
        if case.run(&mut person, &mut kills).await.with_context(|| format!("at {point:?}"))? {
            number += 1;
            escaped_in_a_row = 0;
        } else {
            kills.escaped += 1;
            escaped_in_a_row += 1;
            ensure!(escaped_in_a_row < 40, "the moment of {point:?} does not come");
        }
    }
    Ok(kills)
}

/// How long a run takes that refreshes and is not disturbed.
async fn whole_run(person: &Person) -> Result<Duration> {
    person.service.ledger().expire(person.family);
    let begun = Instant::now();
    let output = person.usher(&["tools", NAME]).await?;
    ensure!(output.code == Some(0), "an undisturbed run ended with {:?}: {}", output.code, output.stderr);
    Ok(begun.elapsed())
}

struct Case {
    number: u32,
    victim: Victim,
    point: KillPoint,
    grace: Duration,
}

impl Case {
    /// One kill and the runs after it. False where the process was over before its moment.
    async fn run(&self, person: &mut Person, kills: &mut Kills) -> Result<bool> {
        let ledger = person.service.ledger();
        ledger.turn_page(person.family);
        if self.victim == Victim::Lists {
            ledger.expire(person.family);
        }
        let ambush = Ambush::lay(self.point, person)?;
        let victim = person.start(self.victim.words())?;
        let blow = victim.blow();
        let finish = victim.finish(PATIENCE);
        tokio::pin!(finish);
        let output = tokio::select! {
            output = &mut finish => output?,
            () = ambush.aim(blow.clone(), person) => finish.await?,
        };
        drop(ambush);
        person.service.clear_trap(person.family);
        if !blow.was_dealt() || output.code.is_some() {
            return Ok(false);
        }
        self.look_after(person, kills).await?;
        Ok(true)
    }

    async fn look_after(&self, person: &mut Person, kills: &mut Kills) -> Result<()> {
        let mut broken = Vec::new();
        let unfinished = person.store_leftovers()?;
        if unfinished.len() > 1 {
            broken.push(format!("unfinished stores gather: {unfinished:?}"));
        }
        if let Err(error) = person.check_state() {
            broken.push(format!("{error:#}"));
        }
        let kept = match person.kept().await {
            Ok(Some((family, number))) if family == person.family => Some(number),
            Ok(found) => {
                broken.push(format!("after the kill the store has {found:?}"));
                None
            }
            Err(error) => {
                broken.push(format!("after the kill: {error:#}"));
                None
            }
        };
        let victims = person.service.ledger().turn_page(person.family);
        let next = person.usher(&["tools", NAME]).await?;
        let recovery = person.service.ledger().turn_page(person.family);
        let point = kills.points.entry(self.point.name()).or_default();
        point.kills += 1;
        let rotated = |page: &Page| {
            page.refreshes.iter().any(|refresh| {
                Some(refresh.presented) == kept && matches!(refresh.outcome, Outcome::Rotated { .. })
            })
        };
        // What was still on its way when the process died is carried out a moment later.
        let was_lost = next.code == Some(SIGN_IN_NEEDED);
        let between = rotated(&victims) || (was_lost && rotated(&recovery));
        point.between += u32::from(between);
        point.lost += u32::from(was_lost);
        if recovery.refreshes.len() > 2 || recovery.stale_requests > 2 {
            broken.push(format!("the next run went on with a stale token: {recovery:?}"));
        }
        match next.code {
            Some(0) => {
                let current = person.service.ledger().standing(person.family).map(|now| now.current);
                let stored = person.kept().await?.map(|(_, number)| number);
                let unfinished = person.store_leftovers()?;
                if !recovery.refreshes.is_empty() && !unfinished.is_empty() {
                    broken.push(format!("an unfinished store outlived the next write: {unfinished:?}"));
                }
                if current != stored {
                    broken.push(format!("the server is at token {current:?}, the store at {stored:?}"));
                }
            }
            Some(SIGN_IN_NEEDED) => {
                if !between {
                    broken.push("a sign-in was lost though its newest token was stored".to_owned());
                }
                if !self.grace.is_zero() && !came_late(&recovery, self.grace) {
                    broken.push(format!("a sign-in was lost within the grace: {recovery:?}"));
                }
                if !next.stderr.contains(CUT_OFF) {
                    broken.push(format!("the loss is not told in its own words: {}", next.stderr));
                }
                let again = person.usher(&["tools", NAME]).await?;
                let page = person.service.ledger().turn_page(person.family);
                if again.code != Some(SIGN_IN_NEEDED) || !page.refreshes.is_empty() || page.stale_requests > 0
                {
                    broken.push(format!("after the loss it tried again ({:?}): {page:?}", again.code));
                }
            }
            other => broken.push(format!("the next run ended with {other:?}: {}", next.stderr)),
        }
        kills.broken.extend(
            broken
                .into_iter()
                .map(|what| format!("kill {} ({:?}, {:?}): {what}", self.number, self.victim, self.point)),
        );
        if next.code != Some(0) {
            person.sign_in().await?;
        }
        Ok(())
    }
}

/// Whether the next run came when the server's grace was over: then the machine was slow, not the engine wrong.
fn came_late(page: &Page, grace: Duration) -> bool {
    page.refreshes.iter().any(|refresh| {
        refresh.outcome == Outcome::Refused(Refusal::Reused)
            && refresh.rotated_before.is_some_and(|before| before >= grace)
    })
}
