//! The state after a kill, and the next run of the command.

use std::time::{Duration, Instant};

use anyhow::Result;
use usher_fake_service::{Activity, Outcome, Rejection};
use usher_tests::Output;

use crate::person::Person;
use crate::store::NAME;
use crate::victim::Victim;

/// The exit codes of the command.
const SIGN_IN_NEEDED: i32 = 3;
const KEYCHAIN_UNAVAILABLE: i32 = 7;
/// Part of the message for an interrupted refresh.
const INTERRUPTED: &str = "was interrupted";

/// A completed kill.
pub struct Aftermath {
    pub victim: Victim,
    pub grace_period: Duration,
    /// The output of the command that was killed, or that ran when the keychain was killed.
    pub command: Output,
}

#[derive(Debug, Default)]
pub struct Found {
    /// Whether the kill came after the server had rotated the token and before the new token was stored.
    pub between: bool,
    /// Whether the next run reported that a sign-in is needed.
    pub was_lost: bool,
    pub violations: Vec<String>,
}

impl Aftermath {
    /// Inspects the files and the next run. Afterwards the person is signed in.
    pub async fn inspect(&self, person: &mut Person) -> Result<Found> {
        let mut found = Found::default();
        self.check_command(&mut found);
        let unfinished = person.leftovers().await?;
        if unfinished.len() > person.store.max_leftovers() {
            found.violations.push(format!("unfinished stores accumulate: {unfinished:?}"));
        }
        if let Err(error) = person.check_state() {
            found.violations.push(format!("{error:#}"));
        }
        let stored = match person.stored_token().await {
            Ok(Some((family, number))) if family == person.family => Some(number),
            Ok(stored) => {
                found.violations.push(format!("after the kill the store has {stored:?}"));
                None
            }
            Err(error) => {
                found.violations.push(format!("after the kill: {error:#}"));
                None
            }
        };
        let before = person.service.ledger().take_activity(person.family);
        let begun = Instant::now();
        let next = person.cli.run(&["tools", NAME]).await?;
        let recovery = person.service.ledger().take_activity(person.family);
        // The server may handle a request of the killed process after `begun`, but its connection was opened before.
        found.between = before.refreshes.iter().chain(&recovery.refreshes).any(|refresh| {
            Some(refresh.presented) == stored
                && refresh.connected < begun
                && matches!(refresh.outcome, Outcome::Rotated { .. })
        });
        found.was_lost = next.code == Some(SIGN_IN_NEEDED);
        if recovery.refreshes.len() > 2 || recovery.stale_requests > 2 {
            found
                .violations
                .push(format!("the next run sent too many refreshes or stale tokens: {recovery:?}"));
        }
        match next.code {
            Some(0) => check_recovery(person, &recovery, &mut found).await?,
            Some(SIGN_IN_NEEDED) => self.check_loss(person, &next, &recovery, &mut found).await?,
            other => found.violations.push(format!("the next run exited with {other:?}: {}", next.stderr)),
        }
        if next.code != Some(0) {
            person.sign_in().await?;
        }
        Ok(found)
    }

    /// Checks that the kill ended the command. If the keychain was killed, the command must succeed or report a
    /// keychain error.
    fn check_command(&self, found: &mut Found) {
        let output = &self.command;
        let is_right = match self.victim {
            Victim::ListCommand | Victim::WaitingCommand => output.code.is_none(),
            Victim::Keychain => {
                let reports_it =
                    output.code == Some(KEYCHAIN_UNAVAILABLE) && output.stderr.contains("keychain");
                output.code == Some(0) || reports_it
            }
        };
        if !is_right {
            found.violations.push(format!("the command exited with {:?}: {}", output.code, output.stderr));
        }
    }

    async fn check_loss(
        &self,
        person: &Person,
        next: &Output,
        recovery: &Activity,
        found: &mut Found,
    ) -> Result<()> {
        if !found.between {
            found.violations.push("a sign-in was lost although its newest token was stored".to_owned());
        }
        if !self.grace_period.is_zero() && !came_late(recovery, self.grace_period) {
            found.violations.push(format!("a sign-in was lost within the grace period: {recovery:?}"));
        }
        if !next.stderr.contains(INTERRUPTED) {
            found
                .violations
                .push(format!("the message does not name the interrupted refresh: {}", next.stderr));
        }
        let again = person.cli.run(&["tools", NAME]).await?;
        let activity = person.service.ledger().take_activity(person.family);
        if again.code != Some(SIGN_IN_NEEDED) || !activity.refreshes.is_empty() || activity.stale_requests > 0
        {
            found.violations.push(format!(
                "after the loss, a command sent a token or asked for no sign-in ({:?}): {activity:?}",
                again.code
            ));
        }
        Ok(())
    }
}

/// Checks that a successful run stored the newest token, and that its write removed leftovers.
async fn check_recovery(person: &Person, recovery: &Activity, found: &mut Found) -> Result<()> {
    let current = person.service.ledger().state(person.family).map(|state| state.current);
    let stored = person.stored_token().await?.map(|(_, number)| number);
    if current != stored {
        found.violations.push(format!("the server is at token {current:?}, the store at {stored:?}"));
    }
    if !recovery.refreshes.is_empty() {
        let unfinished = person.leftovers().await?;
        if !unfinished.is_empty() {
            found
                .violations
                .push(format!("an unfinished store was left after the next write: {unfinished:?}"));
        }
    }
    Ok(())
}

/// Whether the next run sent its refresh after the grace period. If so, the machine was slow and the engine is not at
/// fault.
fn came_late(activity: &Activity, grace_period: Duration) -> bool {
    activity.refreshes.iter().any(|refresh| {
        refresh.outcome == Outcome::Rejected(Rejection::Reused)
            && refresh.rotated_before.is_some_and(|before| before >= grace_period)
    })
}
