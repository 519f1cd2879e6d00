//! The secret store in use, and whether it works.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use usher_api::ErrorView;
use usher_secrets::{Error, SecretStore, StoreKind};

use crate::board::Board;
use crate::words::secret_store::{describe_secret_error, view};

/// The secret store in use, which the person can replace. Clones share it.
#[derive(Clone)]
pub(crate) struct SecretStores {
    current: Arc<Mutex<SecretStore>>,
    asks_to_unlock: bool,
    board: Arc<Board>,
    recovered: watch::Sender<()>,
}

impl SecretStores {
    /// Opens the store. If `asks_to_unlock` is set, the system asks for the password of a locked keychain at its
    /// first use.
    pub fn new(kind: StoreKind, asks_to_unlock: bool, board: Arc<Board>) -> Self {
        let current = Arc::new(Mutex::new(open(kind, asks_to_unlock)));
        Self { current, asks_to_unlock, board, recovered: watch::Sender::new(()) }
    }

    /// Returns a receiver that is notified each time the store works again after an error.
    pub fn recoveries(&self) -> watch::Receiver<()> {
        self.recovered.subscribe()
    }

    pub fn get(&self) -> SecretStore {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Switches to another store.
    pub fn choose(&self, kind: StoreKind) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = open(kind, self.asks_to_unlock);
        self.publish_health(None);
    }

    /// Returns the published error, or `None` if the store works.
    pub fn error(&self) -> Option<ErrorView> {
        self.board.secret_store_error()
    }

    /// Runs one operation, and publishes whether the store works.
    pub async fn run<T, F>(&self, operation: impl FnOnce(SecretStore) -> F) -> Result<T, Error>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let outcome = operation(self.get()).await;
        self.publish_health(outcome.as_ref().err());
        outcome
    }

    /// Publishes the error of the last operation, or that the store works.
    fn publish_health(&self, error: Option<&Error>) {
        let concerns_store = |error: &&Error| match error {
            Error::Corrupt { .. }
            | Error::InvalidName { .. }
            | Error::TooLong { .. }
            | Error::Full { .. } => false,
            Error::Unavailable { .. }
            | Error::Locked { .. }
            | Error::TimedOut { .. }
            | Error::UnsafeFile { .. }
            | Error::BrokenFile { .. }
            | Error::Io { .. } => true,
        };
        let error = error.filter(concerns_store).map(describe_secret_error);
        let works = error.is_none();
        let before = self.board.change_secret_store(view(self.get().kind(), error));
        if works && before.error().is_some() {
            self.recovered.send_replace(());
        }
    }
}

fn open(kind: StoreKind, asks_to_unlock: bool) -> SecretStore {
    if asks_to_unlock { SecretStore::open(kind) } else { SecretStore::open_without_prompt(kind) }
}

#[cfg(test)]
pub(crate) mod tests {
    use usher_api::ConfigView;

    use super::*;

    pub fn stores(kind: StoreKind, asks_to_unlock: bool) -> SecretStores {
        let config = ConfigView {
            path: String::new(),
            error: None,
            line: None,
            column: None,
            entry_errors: Vec::new(),
            warnings: Vec::new(),
        };
        let board = Board::new(config, view(&kind, None));
        SecretStores::new(kind, asks_to_unlock, Arc::new(board))
    }

    #[test]
    fn a_recovery_is_reported_once() {
        let stores = stores(StoreKind::Keychain, false);
        let mut recoveries = stores.recoveries();
        let mut is_reported = || {
            let is_new = recoveries.has_changed().expect("the sender is alive");
            recoveries.mark_unchanged();
            is_new
        };
        let locked = Error::Locked { why: "the unlock prompt was dismissed".to_owned() };
        stores.publish_health(None);
        assert!(!is_reported(), "the store worked before");
        stores.publish_health(Some(&locked));
        stores.publish_health(Some(&locked));
        assert!(!is_reported(), "the store still fails");
        stores.publish_health(None);
        assert!(is_reported());
        stores.publish_health(None);
        assert!(!is_reported(), "only the first success is reported");
    }
}
