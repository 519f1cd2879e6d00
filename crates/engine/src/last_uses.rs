//! The times at which the named secrets were last used, accurate to an hour.
//!
//! A use is recorded in memory. The file is written at most once an hour, and when the engine stops, because a write for
//! each use would cost more than the use itself. It contains names and times, but no values.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::Clock;
use crate::state_file::{self, StateFile};

/// The time between two writes of the file.
pub(crate) const ACCURACY: Duration = Duration::from_secs(60 * 60);

const VERSION: u32 = 1;

/// The last use of each named secret.
#[derive(Debug)]
pub(crate) struct LastUses {
    /// The newest uses.
    latest: Mutex<BTreeMap<String, Timestamp>>,
    file: StateFile<Contents>,
    clock: Clock,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    version: u32,
    last_used: BTreeMap<String, Timestamp>,
}

impl state_file::Contents for Contents {
    const FILE: &'static str = "last-uses.json";
    /// A hundred secrets need 10 kB.
    const LARGEST: u64 = 1024 * 1024;

    fn is_current(&self) -> bool {
        self.version == VERSION
    }

    fn first() -> Self {
        Self { version: VERSION, last_used: BTreeMap::new() }
    }

    fn after_damage() -> Self {
        Self::first()
    }
}

impl LastUses {
    pub fn open(state_dir: &Path, clock: Clock) -> io::Result<Self> {
        let (file, _) = StateFile::<Contents>::open(state_dir)?;
        let latest = Mutex::new(file.lock().last_used.clone());
        Ok(Self { latest, file, clock })
    }

    /// Records that a secret is used now.
    pub fn record(&self, name: &str) {
        let now = self.clock.now();
        self.latest().insert(name.to_owned(), now);
    }

    pub fn of(&self, name: &str) -> Option<Timestamp> {
        self.latest().get(name).copied()
    }

    /// Writes the file if a use in it is an hour older than the newest one, or missing.
    pub async fn save(&self) {
        let accuracy = SignedDuration::try_from(ACCURACY).unwrap_or(SignedDuration::MAX);
        let is_due = {
            let stored = self.file.lock();
            self.latest().iter().any(|(name, at)| {
                stored.last_used.get(name).is_none_or(|stored| at.duration_since(*stored) >= accuracy)
            })
        };
        // Read while the file is changed, so that a use that was just forgotten does not return.
        let store = |contents: &mut Contents| contents.last_used = self.latest().clone();
        if is_due && let Err(error) = self.file.change(store).await {
            tracing::warn!(%error, "the last uses of the secrets could not be stored");
        }
    }

    /// Forgets the last use of a secret.
    pub async fn forget(&self, name: &str) -> io::Result<()> {
        self.latest().remove(name);
        if self.file.lock().last_used.contains_key(name) {
            let forget = |contents: &mut Contents| {
                contents.last_used.remove(name);
            };
            self.file.change(forget).await?;
        }
        Ok(())
    }

    fn latest(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(folder: &Path) -> BTreeMap<String, Timestamp> {
        let contents = StateFile::<Contents>::read(folder).expect("read");
        contents.map(|contents| contents.last_used).unwrap_or_default()
    }

    #[tokio::test]
    async fn the_file_is_written_once_an_hour() {
        let folder = tempfile::tempdir().expect("create a folder");
        let clock = Clock::default();
        let uses = LastUses::open(folder.path(), clock.clone()).expect("open");
        uses.save().await;
        assert!(!folder.path().join("last-uses.json").exists(), "nothing was used");

        uses.record("key");
        let first = uses.of("key").expect("a use");
        assert!(stored(folder.path()).is_empty(), "a use alone writes nothing");
        uses.save().await;
        assert_eq!(stored(folder.path())["key"], first);

        clock.advance(ACCURACY / 2);
        uses.record("key");
        uses.save().await;
        assert_eq!(stored(folder.path())["key"], first, "the stored time is accurate enough");
        assert!(uses.of("key").expect("a use") > first);

        clock.advance(ACCURACY / 2);
        uses.record("key");
        uses.save().await;
        assert_eq!(Some(stored(folder.path())["key"]), uses.of("key"));
        let reopened = LastUses::open(folder.path(), clock).expect("open again");
        assert_eq!(reopened.of("key"), uses.of("key"));
    }

    #[tokio::test]
    async fn a_forgotten_use_does_not_return() {
        let folder = tempfile::tempdir().expect("create a folder");
        let uses = LastUses::open(folder.path(), Clock::default()).expect("open");
        uses.record("key");
        uses.record("other");
        uses.save().await;
        uses.forget("key").await.expect("write");
        assert_eq!(stored(folder.path()).into_keys().collect::<Vec<_>>(), ["other"]);
        uses.save().await;
        assert_eq!(uses.of("key"), None);
        assert_eq!(LastUses::open(folder.path(), Clock::default()).expect("open").of("key"), None);
    }

    #[tokio::test]
    async fn a_damaged_file_is_replaced() {
        let folder = tempfile::tempdir().expect("create a folder");
        usher_secrets::private_files::replace(&folder.path().join("last-uses.json"), b"{")
            .expect("damage the file");
        let uses = LastUses::open(folder.path(), Clock::default()).expect("open");
        assert_eq!(uses.of("key"), None);
        uses.record("key");
        uses.save().await;
        assert_eq!(stored(folder.path()).len(), 1);
    }
}
