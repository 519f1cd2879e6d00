//! The moments at which an engine is killed in the middle of a refresh.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Result;
use rand::Rng;
use rand::rngs::StdRng;
use usher_tests::folder_watch::{FileEvent, FolderWatch};
use usher_tests::strict_service::Moment;
use usher_tests::{Blow, KeychainWatch};

use crate::keeping::Keeping;
use crate::person::Person;

/// Where the blow falls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum KillPoint {
    /// At some time between the start and what a whole run takes.
    Random(Duration),
    /// At some time within this after the request to refresh arrived.
    Soon(Duration),
    /// At a moment that the server sees.
    Server(Moment),
    /// The intent to refresh appears in the state folder.
    IntentNoted,
    /// The keychain is given something to keep.
    StoreAsked,
    /// The new secret store appears beside the old one, empty as yet.
    StoreBegun,
    /// The new secret store took the place of the old one.
    StoreReplaced,
    /// The intent is taken away.
    IntentRemoved,
}

/// What a process takes when nobody disturbs it.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// From its start to its end.
    pub whole_run: Duration,
    /// From a refresh's request to the stored answer, and somewhat more.
    pub around_a_refresh: Duration,
}

/// The longest answer of the token endpoint is about this long, head and body.
const ANSWER_LENGTH: usize = 300;

impl KillPoint {
    /// Every third one falls at random, one half of these around the refresh; the others fall at each injected point
    /// in turn.
    pub fn nth(number: u32, times: Times, random: &mut StdRng) -> KillPoint {
        if number.is_multiple_of(6) {
            return KillPoint::Random(times.whole_run.mul_f64(random.random_range(0.0..1.2)));
        }
        if number.is_multiple_of(3) {
            return KillPoint::Soon(times.around_a_refresh.mul_f64(random.random()));
        }
        match (number - number / 3 - 1) % 11 {
            0 => KillPoint::IntentNoted,
            1 => KillPoint::Server(Moment::Arrived { carried_out: false }),
            2 => KillPoint::Server(Moment::Arrived { carried_out: true }),
            3 => KillPoint::Server(Moment::Committed),
            4 => KillPoint::Server(Moment::InReply { after: random.random_range(1..ANSWER_LENGTH) }),
            5 => KillPoint::Server(Moment::Replied),
            6 => KillPoint::StoreBegun,
            7 => KillPoint::StoreReplaced,
            8 => KillPoint::IntentRemoved,
            9 => KillPoint::StoreAsked,
            _ => KillPoint::Server(Moment::TokenUsed),
        }
    }

    /// How it is called in the figures.
    pub fn name(self) -> &'static str {
        match self {
            Self::Random(_) => "at random",
            Self::Soon(_) | Self::Server(Moment::Passing) => "at random around the refresh",
            Self::IntentNoted => "intent noted",
            Self::Server(Moment::Arrived { carried_out: false }) => "request arrived, not carried out",
            Self::Server(Moment::Arrived { carried_out: true }) => "request arrived, carried out",
            Self::Server(Moment::Committed) => "rotated, no answer yet",
            Self::Server(Moment::InReply { .. }) => "in the middle of the answer",
            Self::Server(Moment::Replied) => "answer sent",
            Self::StoreAsked => "keychain asked to keep it",
            Self::StoreBegun => "new store begun",
            Self::StoreReplaced => "new store in place",
            Self::IntentRemoved => "intent removed",
            Self::Server(Moment::TokenUsed) => "new token's first use",
        }
    }
}

/// A blow that falls when its moment comes, and not after this is dropped.
pub struct Ambush {
    point: KillPoint,
    blow: Arc<OnceLock<Blow>>,
    _watch: Option<Watch>,
}

/// Ends when it is dropped.
enum Watch {
    Folder { _watch: FolderWatch },
    Keychain { _watch: KeychainWatch },
}

impl Ambush {
    /// To be laid before the process starts: its files are watched from the beginning.
    pub async fn lay(point: KillPoint, person: &Person) -> Result<Ambush> {
        let blow = Arc::new(OnceLock::<Blow>::new());
        let ready = Arc::clone(&blow);
        let strike = move || {
            if let Some(blow) = ready.get() {
                blow.deal();
            }
        };
        let keeping = person.keeping();
        let watch_folder = |folder: PathBuf| {
            let strike = strike.clone();
            let told = move |event, name: &str| {
                if is_moment(point, keeping, event, name) {
                    strike();
                }
            };
            FolderWatch::new(&folder, told).map(|watch| Some(Watch::Folder { _watch: watch }))
        };
        let watch = match point {
            KillPoint::IntentNoted | KillPoint::IntentRemoved => watch_folder(person.intents_folder())?,
            KillPoint::StoreBegun | KillPoint::StoreReplaced => watch_folder(person.store_folder())?,
            KillPoint::StoreAsked => {
                let watch = KeychainWatch::start(person.bus()?, strike).await?;
                Some(Watch::Keychain { _watch: watch })
            }
            KillPoint::Random(_) | KillPoint::Soon(_) | KillPoint::Server(_) => None,
        };
        Ok(Ambush { point, blow, _watch: watch })
    }

    /// Aims at a process that has just started. Where chance decides, the time begins here, and this ends with it.
    pub async fn aim(&self, blow: Blow, person: &Person) {
        match self.point {
            KillPoint::Server(moment) => {
                person.service.set_trap(person.family, moment, Box::new(move || blow.deal()));
            }
            KillPoint::Soon(after) => {
                let strike = move || {
                    std::thread::spawn(move || {
                        std::thread::sleep(after);
                        blow.deal();
                    });
                };
                person.service.set_trap(person.family, Moment::Passing, Box::new(strike));
            }
            KillPoint::Random(after) => {
                tokio::time::sleep(after).await;
                blow.deal();
            }
            KillPoint::IntentNoted
            | KillPoint::IntentRemoved
            | KillPoint::StoreAsked
            | KillPoint::StoreBegun
            | KillPoint::StoreReplaced => {
                self.blow.set(blow).ok();
            }
        }
    }
}

fn is_moment(point: KillPoint, keeping: Keeping, event: FileEvent, name: &str) -> bool {
    let is_intent = name.ends_with(".json");
    match point {
        KillPoint::IntentNoted => is_intent && event != FileEvent::Deleted,
        KillPoint::IntentRemoved => is_intent && event == FileEvent::Deleted,
        KillPoint::StoreBegun => keeping.is_begun(event, name),
        KillPoint::StoreReplaced => keeping.is_replaced(event, name),
        KillPoint::StoreAsked | KillPoint::Random(_) | KillPoint::Soon(_) | KillPoint::Server(_) => false,
    }
}
