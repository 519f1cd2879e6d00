//! The system's keychain. It asks the person for its password only where it may, and where it is locked.

use std::sync::Arc;
use std::time::Duration;

use keyring_core::Error as KeyringError;
use secrecy::zeroize::Zeroizing;
use tokio::sync::Mutex;

use crate::Error;
use crate::backend::{Condition, Secret};
use crate::item::Item;
use crate::keychain_thread::{KeychainThread, StillWanted};
use crate::parts::{self, Items};
use crate::platform::{self, Keychain};

/// How long a call may take that asks nobody.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long a person has to unlock it for a call that came upon the lock.
const UNLOCKED_WITHIN: Duration = Duration::from_secs(20);
/// How long a person has who wanted to be asked.
const UNLOCKED_AT_LEISURE_WITHIN: Duration = Duration::from_secs(120);

pub(crate) struct KeychainBackend {
    thread: KeychainThread,
    /// Whether a call that comes upon the lock has the system ask the person.
    asks: bool,
    /// Held while the system asks, so that it asks one question at a time; whether the person refused.
    was_refused: Mutex<bool>,
}

impl KeychainBackend {
    pub fn new(asks: bool) -> Self {
        // Elsewhere the system asks at each use, whatever we want; asking again after a no would be twice.
        let asks = asks && cfg!(target_os = "linux");
        Self { thread: KeychainThread::new(DEADLINE), asks, was_refused: Mutex::new(false) }
    }

    pub async fn check(&self) -> Result<(), Error> {
        self.run(|keychain, _| keychain.must_be_open(None)).await
    }

    /// Has the system ask for the password, where it is locked.
    pub async fn unlock(&self) -> Result<(), Error> {
        let Ok(mut was_refused) = self.was_refused.try_lock() else {
            return Err(Error::Locked { why: "the system is asking for its password".to_owned() });
        };
        self.ask(&mut was_refused, UNLOCKED_AT_LEISURE_WITHIN).await
    }

    pub async fn get(&self, item: &Item) -> Result<Option<Secret>, Error> {
        let item = item.clone();
        self.run(move |keychain, _| {
            keychain.must_be_open(Some(&item))?;
            parts::get(keychain, &item)
        })
        .await
    }

    pub async fn put(&self, item: &Item, secret: Secret) -> Result<(), Error> {
        let item = item.clone();
        self.run(move |keychain, still_wanted| {
            keychain.must_be_open(Some(&item))?;
            still_wanted()?;
            parts::put(keychain, &item, &secret)
        })
        .await
    }

    pub async fn delete(&self, item: &Item, condition: Option<Condition>) -> Result<bool, Error> {
        let item = item.clone();
        self.run(move |keychain, still_wanted| {
            keychain.must_be_open(Some(&item))?;
            still_wanted()?;
            if let Some(condition) = &condition {
                let may = parts::get(keychain, &item)?.is_some_and(|secret| condition(&secret));
                if !may {
                    return Ok(false);
                }
            }
            parts::remove(keychain, &item)
        })
        .await
    }

    pub async fn list(&self) -> Result<Vec<String>, Error> {
        self.run(|keychain, _| {
            keychain.must_be_open(None)?;
            platform::users(&*keychain.store).map_err(|error| platform::error(error, "list"))
        })
        .await
    }

    /// Runs `work`, which fails where the keychain is locked; then once more, if the person unlocks it.
    async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Keychain, StillWanted<'_>) -> Result<T, Error> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let again = Arc::clone(&work);
        let locked = match self.thread.run(move |keychain, wanted| work(keychain, wanted)).await {
            Err(error @ Error::Locked { .. }) if self.asks => error,
            outcome => return outcome,
        };
        let mut was_refused = self.was_refused.lock().await;
        // Who said no once is not asked again by every call that follows.
        if *was_refused {
            return Err(locked);
        }
        self.ask(&mut was_refused, UNLOCKED_WITHIN).await?;
        drop(was_refused);
        self.thread.run(move |keychain, wanted| again(keychain, wanted)).await
    }

    async fn ask(&self, was_refused: &mut bool, patience: Duration) -> Result<(), Error> {
        // Another question may have been answered meanwhile; and a keychain that does not answer is not asked for long.
        match self.thread.run(|keychain, _| keychain.must_be_open(None)).await {
            Err(Error::Locked { .. }) => {}
            outcome => return outcome,
        }
        tracing::debug!("the keychain is locked, asking to unlock it");
        // A thread of its own: what asks nobody does not wait for the person.
        let outcome = KeychainThread::new(patience).run(|keychain, _| keychain.unlock()).await;
        // Who is slow has not said no.
        *was_refused = matches!(outcome, Err(Error::Locked { .. }));
        outcome
    }
}

/// Items of limited length.
impl Items for Keychain {
    const LIMIT: usize = platform::ITEM_LIMIT;

    fn read(&self, item: &Item) -> Result<Option<Secret>, Error> {
        match platform::entry(&*self.store, item).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(KeyringError::NoEntry) => Ok(None),
            Err(error) => Err(platform::error(error, item.user())),
        }
    }

    fn has(&self, item: &Item) -> Result<bool, Error> {
        match platform::entry(&*self.store, item).and_then(|entry| entry.get_credential()) {
            Ok(_) | Err(KeyringError::Ambiguous(_)) => Ok(true),
            Err(KeyringError::NoEntry) => Ok(false),
            Err(error) => Err(platform::error(error, item.user())),
        }
    }

    fn write(&self, item: &Item, bytes: &[u8]) -> Result<(), Error> {
        match platform::entry(&*self.store, item).and_then(|entry| entry.set_secret(bytes)) {
            // Two programs that wrote for the first time at once, or two collections: one stays.
            Err(KeyringError::Ambiguous(entries)) => {
                let mut entries = entries.into_iter();
                let kept = entries.next().map_or(Ok(()), |entry| entry.set_secret(bytes));
                kept.and_then(|()| entries.try_for_each(|entry| entry.delete_credential()))
            }
            other => other,
        }
        .map_err(|error| platform::error(error, item.user()))
    }

    fn remove(&self, item: &Item) -> Result<bool, Error> {
        let removed = match platform::entry(&*self.store, item).and_then(|entry| entry.delete_credential()) {
            Err(KeyringError::Ambiguous(entries)) => {
                entries.into_iter().try_for_each(|entry| entry.delete_credential())
            }
            other => other,
        };
        match removed {
            Ok(()) => Ok(true),
            Err(KeyringError::NoEntry) => Ok(false),
            Err(error) => Err(platform::error(error, item.user())),
        }
    }
}
