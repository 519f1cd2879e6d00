//! Kills of a process that runs the engine, or of the keychain under it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;
use usher_tests::strict_service::{Moment, StrictOptions, StrictService};
use usher_tests::{Blow, Mortal, Output};

use crate::aftermath::Aftermath;
use crate::keeping::Keeping;
use crate::kill_point::{Ambush, KillPoint, Times};
use crate::person::{NAME, Person, TIMEOUT};
use crate::tally::Kills;

/// How long the kind server still takes a refresh token after its rotation.
pub const GRACE: Duration = Duration::from_secs(5);

/// What is killed, and around what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hunt {
    pub victim: Victim,
    pub keeping: Keeping,
    /// How long the server still takes a refresh token after its rotation.
    pub grace: Duration,
}

/// The process that is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// A command that lists the tools, and finds that its token is no longer good.
    Lists,
    /// A command that waits in a call, and renews by itself what is about to end.
    Waits,
    /// The keychain, under a command that lists the tools.
    Keychain,
}

impl Victim {
    /// How many are killed side by side: who waits takes time, and no power.
    fn side_by_side(self) -> u32 {
        match self {
            Self::Lists | Self::Keychain => 2,
            Self::Waits => 6,
        }
    }

    /// What the command is to do.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Lists | Self::Keychain => &["tools", NAME],
            Self::Waits => &["call", NAME, "wait", "--timeout", "600"],
        }
    }

    /// How long an access token lives.
    fn life(self) -> Duration {
        match self {
            Self::Lists | Self::Keychain => Duration::from_secs(3600),
            Self::Waits => Duration::from_secs(4),
        }
    }
}

impl Hunt {
    /// Whether such a moment comes at all.
    fn has(self, point: KillPoint) -> bool {
        match point {
            // Nobody asks for anything while the call waits.
            KillPoint::Server(Moment::TokenUsed) => self.victim == Victim::Lists,
            // The server then acts as if its client were gone; here it is not.
            KillPoint::Server(_) => self.victim != Victim::Keychain,
            KillPoint::StoreAsked => self.keeping != Keeping::File,
            KillPoint::Random(_)
            | KillPoint::Soon(_)
            | KillPoint::IntentNoted
            | KillPoint::StoreBegun
            | KillPoint::StoreReplaced
            | KillPoint::IntentRemoved => true,
        }
    }
}

/// At least `count` kills.
pub async fn kills(hunt: Hunt, count: u32, seed: u64) -> Result<Kills> {
    let share = count.div_ceil(hunt.victim.side_by_side());
    // Each begins with other points, and each seed, so that short runs have them all.
    let first = u32::try_from(seed % 33).unwrap_or_default();
    let runs = (0..hunt.victim.side_by_side())
        .map(|worker| tokio::spawn(kill(hunt, share, first + worker * share, seed + u64::from(worker))));
    let all = try_join_all(runs).await.context("a worker broke down")?;
    all.into_iter().try_fold(Kills::default(), |sum, kills| Ok(sum.merge(kills?)))
}

/// Kills around one person's sign-in, beginning with the point of number `first`.
async fn kill(hunt: Hunt, count: u32, first: u32, seed: u64) -> Result<Kills> {
    let rules = StrictOptions {
        grace: hunt.grace,
        life: hunt.victim.life(),
        has_long_tokens: hunt.keeping == Keeping::KeychainInParts,
    };
    let service = StrictService::start(rules).await?;
    let mut person = Person::new(Arc::new(service), hunt.keeping).await?;
    let mut random = StdRng::seed_from_u64(seed);
    let listing = whole_run(&person).await?;
    let times = Times {
        whole_run: if hunt.victim == Victim::Waits { hunt.victim.life() } else { listing },
        around_a_refresh: hunt.keeping.around_a_refresh(),
    };
    let mut kills = Kills::default();
    let mut number = first;
    let mut escaped_in_a_row = 0;
    while kills.total().kills < count {
        let point = KillPoint::nth(number, times, &mut random);
        if !hunt.has(point) {
            number += 1;
            continue;
        }
        let case = Case { number, hunt, point };
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
    hunt: Hunt,
    point: KillPoint,
}

impl Case {
    /// One kill and the runs after it. False where the command was over before its moment.
    async fn run(&self, person: &mut Person, kills: &mut Kills) -> Result<bool> {
        let ledger = person.service.ledger();
        ledger.turn_page(person.family);
        if self.hunt.victim != Victim::Waits {
            ledger.expire(person.family);
        }
        let ambush = Ambush::lay(self.point, person).await?;
        let at_keychain = match self.hunt.victim {
            Victim::Keychain => Some(person.blow_at_keychain()?),
            Victim::Lists | Victim::Waits => None,
        };
        let command = person.start(self.hunt.victim.words())?;
        let blow = at_keychain.unwrap_or_else(|| command.blow());
        let output = strike(ambush, command, &blow, person).await?;
        person.service.clear_trap(person.family);
        let was_dealt = blow.withhold();
        let was_met = match self.hunt.victim {
            Victim::Lists | Victim::Waits => was_dealt && output.code.is_none(),
            Victim::Keychain => was_dealt,
        };
        if self.hunt.victim == Victim::Keychain && was_dealt {
            person.start_keychain().await?;
        }
        if was_met {
            let after = Aftermath { victim: self.hunt.victim, grace: self.hunt.grace, command: output };
            let found = after.look(person).await?;
            let point = kills.points.entry(self.point.name()).or_default();
            point.kills += 1;
            point.between += u32::from(found.between);
            point.lost += u32::from(found.was_lost);
            let told = |what| format!("kill {} ({:?}, {:?}): {what}", self.number, self.hunt, self.point);
            kills.broken.extend(found.broken.into_iter().map(told));
        }
        Ok(was_met)
    }
}

/// Runs the command to its end, with the blow on its way.
async fn strike(ambush: Ambush, command: Mortal, blow: &Blow, person: &Person) -> Result<Output> {
    let finish = command.finish(TIMEOUT);
    tokio::pin!(finish);
    tokio::select! {
        output = &mut finish => output,
        () = ambush.aim(blow.clone(), person) => finish.await,
    }
}
