//! The keychain store. It prompts for the password only if the keychain is locked and prompts are allowed.

use std::sync::Arc;
use std::time::Duration;

use keyring_core::Error as KeyringError;
use secrecy::zeroize::Zeroizing;
use tokio::sync::Mutex;

use crate::Error;
use crate::item::Item;
use crate::keychain_thread::{EnsureCallerWaits, KeychainThread};
use crate::platform::{self, Keychain};
use crate::secret::{Condition, Secret};
use crate::split_secret::{self, Items};

/// The deadline of a call without a prompt.
const DEADLINE: Duration = Duration::from_secs(5);
/// The deadline of a prompt that a call opened.
const PROMPT_DEADLINE: Duration = Duration::from_secs(20);
/// The deadline of a prompt that the person requested.
const REQUESTED_PROMPT_DEADLINE: Duration = Duration::from_secs(120);

pub(crate) struct KeychainBackend {
    thread: KeychainThread,
    /// Whether a call may open the system's unlock prompt.
    may_prompt: bool,
    /// Whether the person dismissed the prompt. The mutex is held while a prompt is open, so that only one is open at a
    /// time.
    was_dismissed: Mutex<bool>,
}

impl KeychainBackend {
    pub fn new(may_prompt: bool) -> Self {
        // Other systems open their own prompt when an item is used, so Usher does not open one.
        let may_prompt = may_prompt && cfg!(target_os = "linux");
        Self { thread: KeychainThread::new(DEADLINE), may_prompt, was_dismissed: Mutex::new(false) }
    }

    pub async fn check(&self) -> Result<(), Error> {
        self.run(|keychain, _| keychain.ensure_unlocked(None)).await
    }

    /// Opens the system's unlock prompt if the keychain is locked.
    pub async fn unlock(&self) -> Result<(), Error> {
        let Ok(mut was_dismissed) = self.was_dismissed.try_lock() else {
            return Err(Error::Locked { why: "the unlock prompt is already open".to_owned() });
        };
        self.prompt(&mut was_dismissed, REQUESTED_PROMPT_DEADLINE).await
    }

    pub async fn get(&self, item: &Item) -> Result<Option<Secret>, Error> {
        let item = item.clone();
        self.run(move |keychain, _| {
            keychain.ensure_unlocked(Some(&item))?;
            split_secret::get(keychain, &item)
        })
        .await
    }

    pub async fn put(&self, item: &Item, secret: Secret) -> Result<(), Error> {
        let item = item.clone();
        self.run(move |keychain, ensure_caller_waits| {
            keychain.ensure_unlocked(Some(&item))?;
            ensure_caller_waits()?;
            split_secret::put(keychain, &item, &secret)
        })
        .await
    }

    pub async fn delete(&self, item: &Item, condition: Option<Condition>) -> Result<bool, Error> {
        let item = item.clone();
        self.run(move |keychain, ensure_caller_waits| {
            keychain.ensure_unlocked(Some(&item))?;
            ensure_caller_waits()?;
            if let Some(condition) = &condition {
                let is_met = split_secret::get(keychain, &item)?.is_some_and(|secret| condition(&secret));
                if !is_met {
                    return Ok(false);
                }
            }
            split_secret::remove(keychain, &item)
        })
        .await
    }

    pub async fn list(&self) -> Result<Vec<String>, Error> {
        self.run(|keychain, _| {
            keychain.ensure_unlocked(None)?;
            platform::users(&*keychain.store).map_err(|error| platform::map_error(error, "list"))
        })
        .await
    }

    /// Runs `work`. If the keychain is locked and prompts are allowed, opens the unlock prompt and then runs `work`
    /// again.
    async fn run<T, W>(&self, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: Fn(&Keychain, EnsureCallerWaits<'_>) -> Result<T, Error> + Send + Sync + 'static,
    {
        let work = Arc::new(work);
        let retry = Arc::clone(&work);
        let locked = match self.thread.run(move |keychain, ensure| work(keychain, ensure)).await {
            Err(error @ Error::Locked { .. }) if self.may_prompt => error,
            outcome => return outcome,
        };
        let mut was_dismissed = self.was_dismissed.lock().await;
        // After a dismissed prompt, later calls do not open another one.
        if *was_dismissed {
            return Err(locked);
        }
        self.prompt(&mut was_dismissed, PROMPT_DEADLINE).await?;
        drop(was_dismissed);
        self.thread.run(move |keychain, ensure| retry(keychain, ensure)).await
    }

    async fn prompt(&self, was_dismissed: &mut bool, deadline: Duration) -> Result<(), Error> {
        // Another prompt may have unlocked the keychain. This check has the short deadline of a call without a prompt,
        // so that an unresponsive keychain fails early.
        match self.thread.run(|keychain, _| keychain.ensure_unlocked(None)).await {
            Err(Error::Locked { .. }) => {}
            outcome => return outcome,
        }
        tracing::debug!("the keychain is locked, opening its unlock prompt");
        // A separate thread opens the prompt, so that calls without a prompt do not wait for the person.
        let outcome = KeychainThread::new(deadline).run(|keychain, _| keychain.unlock()).await;
        // A timeout does not count as dismissed.
        *was_dismissed = matches!(outcome, Err(Error::Locked { .. }));
        outcome
    }
}

impl Items for Keychain {
    const LIMIT: usize = platform::ITEM_LIMIT;

    fn read(&self, item: &Item) -> Result<Option<Secret>, Error> {
        match platform::entry(&*self.store, item).and_then(|entry| entry.get_secret()) {
            Ok(secret) => Ok(Some(Zeroizing::new(secret))),
            Err(KeyringError::NoEntry) => Ok(None),
            Err(error) => Err(platform::map_error(error, item.user())),
        }
    }

    fn has(&self, item: &Item) -> Result<bool, Error> {
        match platform::entry(&*self.store, item).and_then(|entry| entry.get_credential()) {
            Ok(_) | Err(KeyringError::Ambiguous(_)) => Ok(true),
            Err(KeyringError::NoEntry) => Ok(false),
            Err(error) => Err(platform::map_error(error, item.user())),
        }
    }

    fn write(&self, item: &Item, bytes: &[u8]) -> Result<(), Error> {
        match platform::entry(&*self.store, item).and_then(|entry| entry.set_secret(bytes)) {
            // Two programs wrote the first value at the same time, or two collections contain the item. Only one entry
            // is kept.
            Err(KeyringError::Ambiguous(entries)) => {
                let mut entries = entries.into_iter();
                let written = entries.next().map_or(Ok(()), |entry| entry.set_secret(bytes));
                written.and_then(|()| entries.try_for_each(|entry| entry.delete_credential()))
            }
            other => other,
        }
        .map_err(|error| platform::map_error(error, item.user()))
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
            Err(error) => Err(platform::map_error(error, item.user())),
        }
    }
}
