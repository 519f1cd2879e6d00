//! The secret store in use: which one a person chose, and whether it works.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;
use usher_secrets::{SecretStore, StoreKind};

use crate::board::Board;
use crate::describe::describe_secret_error;
use crate::{ErrorView, SecretStoreView};

/// Cloning gives another handle to the same choice.
#[derive(Clone)]
pub(crate) struct Stores {
    current: Arc<Mutex<SecretStore>>,
    asks: bool,
    board: Arc<Board>,
    recovered: watch::Sender<()>,
}

impl Stores {
    /// `asks`: a locked keychain is to ask for its password at the first use.
    pub fn new(kind: StoreKind, asks: bool, board: Arc<Board>) -> Self {
        let current = Arc::new(Mutex::new(open(kind, asks)));
        Self { current, asks, board, recovered: watch::Sender::new(()) }
    }

    /// Told whenever the store works again after it did not.
    pub fn recoveries(&self) -> watch::Receiver<()> {
        self.recovered.subscribe()
    }

    pub fn get(&self) -> SecretStore {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another store from now on.
    pub fn choose(&self, kind: StoreKind) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = open(kind, self.asks);
        self.note(None);
    }

    /// Why it did not work when it was used last.
    pub fn error(&self) -> Option<ErrorView> {
        self.board.secret_store_error()
    }

    /// Publishes whether the store works, after each use of it.
    pub fn note(&self, error: Option<&usher_secrets::Error>) {
        let concerns_store = |error: &&usher_secrets::Error| match error {
            usher_secrets::Error::Corrupt { .. }
            | usher_secrets::Error::InvalidName { .. }
            | usher_secrets::Error::TooLong { .. } => false,
            usher_secrets::Error::Unavailable { .. }
            | usher_secrets::Error::Locked { .. }
            | usher_secrets::Error::TimedOut { .. }
            | usher_secrets::Error::UnsafeFile { .. }
            | usher_secrets::Error::BrokenFile { .. }
            | usher_secrets::Error::Io { .. } => true,
        };
        let error = error.filter(concerns_store).map(describe_secret_error);
        let works = error.is_none();
        let before = self.board.change_secret_store(view(self.get().kind(), error));
        if works && before.error().is_some() {
            self.recovered.send_replace(());
        }
    }
}

fn open(kind: StoreKind, asks: bool) -> SecretStore {
    if asks { SecretStore::open(kind) } else { SecretStore::open_without_prompt(kind) }
}

/// How a kind of store is shown.
pub(crate) fn view(kind: &StoreKind, error: Option<ErrorView>) -> SecretStoreView {
    match kind {
        StoreKind::Keychain => SecretStoreView::Keychain { error },
        StoreKind::File(path) => SecretStoreView::File { path: path.display().to_string(), error },
        StoreKind::Memory => SecretStoreView::Memory,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConfigView;

    #[test]
    fn that_it_works_again_is_told_once() {
        let config =
            ConfigView { path: String::new(), error: None, line: None, column: None, warnings: Vec::new() };
        let kind = StoreKind::Keychain;
        let board = Arc::new(Board::new(config, view(&kind, None)));
        let stores = Stores::new(kind, false, board);
        let mut recoveries = stores.recoveries();
        let mut is_told = || {
            let is_new = recoveries.has_changed().expect("the sender is here");
            recoveries.mark_unchanged();
            is_new
        };
        let locked = usher_secrets::Error::Locked { why: "nobody unlocks it".to_owned() };
        stores.note(None);
        assert!(!is_told(), "it worked before");
        stores.note(Some(&locked));
        stores.note(Some(&locked));
        assert!(!is_told(), "it does not work");
        stores.note(None);
        assert!(is_told());
        stores.note(None);
        assert!(!is_told(), "once");
    }
}
