//! What the next command finds after a kill, and whether that may be.

use std::time::{Duration, Instant};

use anyhow::Result;
use usher_tests::Output;
use usher_tests::strict_service::{Outcome, Page, Refusal};

use crate::kills::Victim;
use crate::person::{NAME, Person};

/// The exit code for a sign-in that is needed.
const SIGN_IN_NEEDED: i32 = 3;
/// The exit code for a keychain that cannot be used.
const KEYCHAIN: i32 = 7;
/// How the command says that a renewal was cut off.
const CUT_OFF: &str = "was cut off";

/// A kill that was dealt.
pub struct Aftermath {
    pub victim: Victim,
    /// Of the server.
    pub grace: Duration,
    /// How the command ended that was killed, or under which the keychain was.
    pub command: Output,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The server had rotated the token, and the new one was not stored.
    pub between: bool,
    /// The next run had to say that a sign-in is needed.
    pub was_lost: bool,
    /// What must not be.
    pub broken: Vec<String>,
}

impl Aftermath {
    /// Looks at what lies on the disk, then at the next run, and leaves a person who is signed in.
    pub async fn look(&self, person: &mut Person) -> Result<Found> {
        let mut found = Found::default();
        self.judge_command(&mut found);
        let unfinished = person.leftovers().await?;
        if unfinished.len() > person.keeping().most_leftovers() {
            found.broken.push(format!("unfinished stores gather: {unfinished:?}"));
        }
        if let Err(error) = person.check_state() {
            found.broken.push(format!("{error:#}"));
        }
        let kept = match person.kept().await {
            Ok(Some((family, number))) if family == person.family => Some(number),
            Ok(kept) => {
                found.broken.push(format!("after the kill the store has {kept:?}"));
                None
            }
            Err(error) => {
                found.broken.push(format!("after the kill: {error:#}"));
                None
            }
        };
        let victims = person.service.ledger().turn_page(person.family);
        let begun = Instant::now();
        let next = person.usher(&["tools", NAME]).await?;
        let recovery = person.service.ledger().turn_page(person.family);
        // What was still on its way when the process died is carried out a moment later; what the next one sends over
        // connections of its own is its own doing.
        found.between = victims.refreshes.iter().chain(&recovery.refreshes).any(|refresh| {
            Some(refresh.presented) == kept
                && refresh.connected < begun
                && matches!(refresh.outcome, Outcome::Rotated { .. })
        });
        found.was_lost = next.code == Some(SIGN_IN_NEEDED);
        if recovery.refreshes.len() > 2 || recovery.stale_requests > 2 {
            found.broken.push(format!("the next run went on with a stale token: {recovery:?}"));
        }
        match next.code {
            Some(0) => judge_recovery(person, &recovery, &mut found).await?,
            Some(SIGN_IN_NEEDED) => self.judge_loss(person, &next, &recovery, &mut found).await?,
            other => found.broken.push(format!("the next run ended with {other:?}: {}", next.stderr)),
        }
        if next.code != Some(0) {
            person.sign_in().await?;
        }
        Ok(found)
    }

    /// A command whose keychain goes has done all, or says that it is the keychain.
    fn judge_command(&self, found: &mut Found) {
        let output = &self.command;
        let is_right = match self.victim {
            Victim::Lists | Victim::Waits => output.code.is_none(),
            Victim::Keychain => {
                let says_so = output.code == Some(KEYCHAIN) && output.stderr.contains("keychain");
                output.code == Some(0) || says_so
            }
        };
        if !is_right {
            found.broken.push(format!("the command ended with {:?}: {}", output.code, output.stderr));
        }
    }

    async fn judge_loss(
        &self,
        person: &Person,
        next: &Output,
        recovery: &Page,
        found: &mut Found,
    ) -> Result<()> {
        if !found.between {
            found.broken.push("a sign-in was lost though its newest token was stored".to_owned());
        }
        if !self.grace.is_zero() && !came_late(recovery, self.grace) {
            found.broken.push(format!("a sign-in was lost within the grace: {recovery:?}"));
        }
        if !next.stderr.contains(CUT_OFF) {
            found.broken.push(format!("the loss is not told in its own words: {}", next.stderr));
        }
        let again = person.usher(&["tools", NAME]).await?;
        let page = person.service.ledger().turn_page(person.family);
        if again.code != Some(SIGN_IN_NEEDED) || !page.refreshes.is_empty() || page.stale_requests > 0 {
            found.broken.push(format!("after the loss it tried again ({:?}): {page:?}", again.code));
        }
        Ok(())
    }
}

/// The next run went on: what is kept is the newest, and what lay around went with the write.
async fn judge_recovery(person: &Person, recovery: &Page, found: &mut Found) -> Result<()> {
    let current = person.service.ledger().standing(person.family).map(|now| now.current);
    let stored = person.kept().await?.map(|(_, number)| number);
    if current != stored {
        found.broken.push(format!("the server is at token {current:?}, the store at {stored:?}"));
    }
    if !recovery.refreshes.is_empty() {
        let unfinished = person.leftovers().await?;
        if !unfinished.is_empty() {
            found.broken.push(format!("an unfinished store outlived the next write: {unfinished:?}"));
        }
    }
    Ok(())
}

/// Whether the next run came when the server's grace was over: then the machine was slow, not the engine wrong.
fn came_late(page: &Page, grace: Duration) -> bool {
    page.refreshes.iter().any(|refresh| {
        refresh.outcome == Outcome::Refused(Refusal::Reused)
            && refresh.rotated_before.is_some_and(|before| before >= grace)
    })
}
