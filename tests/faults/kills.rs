//! Kills of a process that holds the engine, or of the keychain that it uses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use futures::future::try_join_all;
use rand::SeedableRng;
use rand::rngs::StdRng;
use usher_fake_service::{FakeService, Moment, Options};

use crate::aftermath::Aftermath;
use crate::kill_counts::Kills;
use crate::kill_moment::{Change, KillMoment, Times, Trigger};
use crate::person::Person;
use crate::store::{NAME, Store};
use crate::victim::Victim;

/// The grace period of the lenient server: how long it accepts a refresh token after its rotation.
pub const GRACE_PERIOD: Duration = Duration::from_secs(5);

/// The victim of the kills, and its store and server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KillPlan {
    pub victim: Victim,
    pub store: Store,
    pub grace_period: Duration,
}

impl KillPlan {
    /// Whether the moment occurs with this plan.
    fn has(self, moment: KillMoment) -> bool {
        match moment {
            // No MCP request uses the new token while the call waits.
            KillMoment::Server(Moment::TokenUsed) => self.victim == Victim::ListCommand,
            // A breakpoint leaves the request unanswered, which fails a command that is still running.
            KillMoment::Server(_) => self.victim != Victim::Keychain,
            KillMoment::Change(Change::KeychainCalled) => self.store != Store::File,
            KillMoment::Random(_) | KillMoment::AroundRefresh(_) | KillMoment::Change(_) => true,
        }
    }
}

/// Runs at least `count` kills.
pub async fn kills(plan: KillPlan, count: u32, seed: u64) -> Result<Kills> {
    let share = count.div_ceil(plan.victim.workers());
    // Each worker and each seed starts at a different moment, so that short runs together cover all moments.
    let first = u32::try_from(seed % 33).unwrap_or_default();
    let runs = (0..plan.victim.workers())
        .map(|worker| tokio::spawn(kill(plan, share, first + worker * share, seed + u64::from(worker))));
    let all = try_join_all(runs).await.context("a worker panicked")?;
    all.into_iter().try_fold(Kills::default(), |sum, kills| Ok(sum.merge(kills?)))
}

/// Runs the kills of one worker, with one signed-in person, starting with moment number `first`.
async fn kill(plan: KillPlan, count: u32, first: u32, seed: u64) -> Result<Kills> {
    let options = Options {
        grace_period: plan.grace_period,
        access_token_lifetime: plan.victim.access_token_lifetime(),
        has_long_tokens: plan.store == Store::KeychainInParts,
        ..Options::default()
    };
    let service = FakeService::start(options).await?;
    let mut person = Person::new(Arc::new(service), plan.store).await?;
    let mut random = StdRng::seed_from_u64(seed);
    let listing = whole_run(&person).await?;
    let times = Times {
        whole_run: match plan.victim {
            Victim::WaitingCommand => plan.victim.access_token_lifetime(),
            Victim::ListCommand | Victim::Keychain => listing,
        },
        refresh: plan.store.refresh_time(),
    };
    let mut kills = Kills::default();
    let mut number = first;
    let mut missed_in_a_row = 0;
    while kills.total().kills < count {
        let moment = KillMoment::nth(number, times, &mut random);
        if !plan.has(moment) {
            number += 1;
            continue;
        }
        let case = Case { number, plan, moment };
        if case.run(&mut person, &mut kills).await.with_context(|| format!("at {moment:?}"))? {
            number += 1;
            missed_in_a_row = 0;
        } else {
            kills.missed += 1;
            missed_in_a_row += 1;
            ensure!(missed_in_a_row < 40, "{moment:?} does not occur");
        }
    }
    Ok(kills)
}

/// The time of an undisturbed run with a refresh.
async fn whole_run(person: &Person) -> Result<Duration> {
    person.service.ledger().expire(person.family);
    let begun = Instant::now();
    person.cli.succeed(&["tools", NAME]).await.context("an undisturbed run failed")?;
    Ok(begun.elapsed())
}

struct Case {
    number: u32,
    plan: KillPlan,
    moment: KillMoment,
}

impl Case {
    /// Runs one kill and the commands after it. Returns false if the command ended before the moment.
    async fn run(&self, person: &mut Person, kills: &mut Kills) -> Result<bool> {
        let ledger = person.service.ledger();
        ledger.take_activity(person.family);
        if self.plan.victim != Victim::WaitingCommand {
            ledger.expire(person.family);
        }
        let trigger = Trigger::set_up(self.moment, person).await?;
        let keychain_switch = match self.plan.victim {
            Victim::Keychain => Some(person.keychain_kill_switch()?),
            Victim::ListCommand | Victim::WaitingCommand => None,
        };
        let command = person.cli.start(self.plan.victim.arguments())?;
        let kill_switch = keychain_switch.unwrap_or_else(|| command.kill_switch());
        let mut finish = std::pin::pin!(command.finish());
        let output = tokio::select! {
            output = &mut finish => output,
            () = trigger.arm(kill_switch.clone(), person) => finish.await,
        }?;
        drop(trigger);
        person.service.clear_breakpoint(person.family);
        let has_fired = kill_switch.disarm();
        let was_killed = match self.plan.victim {
            Victim::ListCommand | Victim::WaitingCommand => has_fired && output.code.is_none(),
            Victim::Keychain => has_fired,
        };
        if self.plan.victim == Victim::Keychain && has_fired {
            person.cli.desktop.start_keyring().await?;
        }
        if was_killed {
            let after =
                Aftermath { victim: self.plan.victim, grace_period: self.plan.grace_period, command: output };
            let found = after.inspect(person).await?;
            let count = kills.moments.entry(self.moment.name()).or_default();
            count.kills += 1;
            count.between += u32::from(found.between);
            count.lost += u32::from(found.was_lost);
            let line = |text| format!("kill {} ({:?}, {:?}): {text}", self.number, self.plan, self.moment);
            kills.violations.extend(found.violations.into_iter().map(line));
        }
        Ok(was_killed)
    }
}
