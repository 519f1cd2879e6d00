//! The secret store in use: which one a person chose, and whether it works.

use std::sync::{Arc, Mutex, PoisonError};

use usher_secrets::{SecretStore, StoreKind};

use crate::board::Board;
use crate::describe::describe_secret_error;
use crate::{ErrorView, SecretStoreView};

/// Cloning gives another handle to the same choice.
#[derive(Clone)]
pub(crate) struct Stores {
    current: Arc<Mutex<SecretStore>>,
    board: Arc<Board>,
}

impl Stores {
    pub fn new(store: SecretStore, board: Arc<Board>) -> Self {
        Self { current: Arc::new(Mutex::new(store)), board }
    }

    pub fn get(&self) -> SecretStore {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another store from now on.
    pub fn choose(&self, kind: StoreKind) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = SecretStore::open(kind);
        self.note(None);
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
        self.board.change_secret_store(view(self.get().kind(), error));
    }
}

/// How a kind of store is shown.
pub(crate) fn view(kind: &StoreKind, error: Option<ErrorView>) -> SecretStoreView {
    match kind {
        StoreKind::Keychain => SecretStoreView::Keychain { error },
        StoreKind::File(path) => SecretStoreView::File { path: path.display().to_string(), error },
        StoreKind::Memory => SecretStoreView::Memory,
    }
}
