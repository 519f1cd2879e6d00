//! The moments of a refresh at which a process is killed.

use std::any::Any;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use usher_fake_service::Moment;
use usher_tests::folder_watch::{FileEvent, FolderWatch};
use usher_tests::{KeychainWatch, KillSwitch};

use crate::person::Person;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KillMoment {
    /// A time after the start of the process.
    Random(Duration),
    /// A time after the arrival of the refresh request.
    AroundRefresh(Duration),
    /// A step of a request at the server.
    Server(Moment),
    /// A change outside the process.
    Change(Change),
}

/// A change that is visible outside the process.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Change {
    /// The refresh journal has a new entry.
    JournalWritten,
    /// A call that stores a secret reaches the keychain.
    KeychainCalled,
    /// The new secret store appears beside the old one, still empty.
    StoreCreated,
    /// The new secret store replaced the old one.
    StoreReplaced,
    /// The entry of the refresh journal is removed.
    JournalRemoved,
}

/// The durations of an undisturbed run.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub whole_run: Duration,
    /// From the refresh request to the stored response, with some margin.
    pub refresh: Duration,
}

/// The approximate length of the longest response of the token endpoint, head and body.
const RESPONSE_LENGTH: usize = 300;

impl KillMoment {
    /// Returns the moment with this number. Every third moment is random; half of the random ones are around the
    /// refresh. The remaining moments are fixed, and are taken in turn.
    pub fn nth(number: u32, times: Times, random: &mut StdRng) -> KillMoment {
        if number.is_multiple_of(6) {
            return KillMoment::Random(times.whole_run.mul_f64(random.random_range(0.0..1.2)));
        }
        if number.is_multiple_of(3) {
            return KillMoment::AroundRefresh(times.refresh.mul_f64(random.random()));
        }
        match (number - number / 3 - 1) % 11 {
            0 => KillMoment::Change(Change::JournalWritten),
            1 => KillMoment::Server(Moment::Swallowed { carried_out: false }),
            2 => KillMoment::Server(Moment::Swallowed { carried_out: true }),
            3 => KillMoment::Server(Moment::Committed),
            4 => KillMoment::Server(Moment::InReply { after: random.random_range(1..RESPONSE_LENGTH) }),
            5 => KillMoment::Server(Moment::Replied),
            6 => KillMoment::Change(Change::StoreCreated),
            7 => KillMoment::Change(Change::StoreReplaced),
            8 => KillMoment::Change(Change::JournalRemoved),
            9 => KillMoment::Change(Change::KeychainCalled),
            _ => KillMoment::Server(Moment::TokenUsed),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Random(_) => "at random",
            Self::AroundRefresh(_) | Self::Server(Moment::Arrived) => "at random around the refresh",
            Self::Change(Change::JournalWritten) => "journal entry written",
            Self::Server(Moment::Swallowed { carried_out: false }) => "request arrived, not carried out",
            Self::Server(Moment::Swallowed { carried_out: true }) => "request arrived, carried out",
            Self::Server(Moment::Committed) => "rotated, no response yet",
            Self::Server(Moment::InReply { .. }) => "in the middle of the response",
            Self::Server(Moment::Replied) => "response sent",
            Self::Change(Change::KeychainCalled) => "keychain called",
            Self::Change(Change::StoreCreated) => "new store created",
            Self::Change(Change::StoreReplaced) => "new store in place",
            Self::Change(Change::JournalRemoved) => "journal entry removed",
            Self::Server(Moment::TokenUsed) => "first use of the new token",
        }
    }
}

/// A kill that waits for its moment. The trigger must be kept until then.
pub struct Trigger {
    moment: KillMoment,
    kill_switch: Arc<OnceLock<KillSwitch>>,
    /// The watch, if the moment is a change. Dropping it ends the watch.
    _watch: Option<Box<dyn Any + Send + Sync>>,
}

impl Trigger {
    /// Starts watching. Must be called before the process starts.
    pub async fn set_up(moment: KillMoment, person: &Person) -> Result<Trigger> {
        let kill_switch = Arc::new(OnceLock::<KillSwitch>::new());
        let ready = Arc::clone(&kill_switch);
        let kill = move || {
            if let Some(kill_switch) = ready.get() {
                kill_switch.fire();
            }
        };
        let watch = match moment {
            KillMoment::Change(change) => Some(watch(change, person, kill).await?),
            KillMoment::Random(_) | KillMoment::AroundRefresh(_) | KillMoment::Server(_) => None,
        };
        Ok(Trigger { moment, kill_switch, _watch: watch })
    }

    /// Sets the process to kill. Must be called when the command has just started. For a random moment, returns
    /// after the kill.
    pub async fn arm(&self, kill_switch: KillSwitch, person: &Person) {
        match self.moment {
            KillMoment::Server(moment) => {
                person.service.set_breakpoint(person.family, moment, Box::new(move || kill_switch.fire()));
            }
            KillMoment::AroundRefresh(after) => {
                let kill = move || {
                    std::thread::spawn(move || {
                        // The delay is what is tested: the kill may come at any moment of the refresh.
                        std::thread::sleep(after);
                        kill_switch.fire();
                    });
                };
                person.service.set_breakpoint(person.family, Moment::Arrived, Box::new(kill));
            }
            KillMoment::Random(after) => {
                tokio::time::sleep(after).await;
                kill_switch.fire();
            }
            KillMoment::Change(_) => {
                self.kill_switch.set(kill_switch).ok();
            }
        }
    }
}

/// Calls `kill` at each `change`, until the returned watch is dropped.
async fn watch(
    change: Change,
    person: &Person,
    kill: impl Fn() + Send + 'static,
) -> Result<Box<dyn Any + Send + Sync>> {
    let store = person.store;
    let folder = match change {
        Change::JournalWritten | Change::JournalRemoved => person.journal_folder(),
        Change::StoreCreated | Change::StoreReplaced => store.folder(person.desktop()),
        Change::KeychainCalled => {
            return Ok(Box::new(KeychainWatch::start(person.desktop().bus()?, kill).await?));
        }
    };
    let on_event = move |event, name: &str| {
        let is_entry = name.ends_with(".json");
        let is_now = match change {
            Change::JournalWritten => is_entry && event != FileEvent::Deleted,
            Change::JournalRemoved => is_entry && event == FileEvent::Deleted,
            Change::StoreCreated => store.is_created(event, name),
            Change::StoreReplaced => store.is_replaced(event, name),
            Change::KeychainCalled => false,
        };
        if is_now {
            kill();
        }
    };
    Ok(Box::new(FolderWatch::new(&folder, on_event)?))
}
