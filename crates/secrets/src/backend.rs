//! The common interface of the three kinds of store: bytes under a name.

use crate::Error;
use crate::file::FileBackend;
use crate::item::Item;
use crate::keychain::KeychainBackend;
use crate::memory::MemoryBackend;
use crate::secret::{Condition, Secret};

pub(crate) enum Backend {
    Keychain(KeychainBackend),
    File(FileBackend),
    Memory(MemoryBackend),
}

impl Backend {
    pub async fn check(&self) -> Result<(), Error> {
        match self {
            Self::Keychain(keychain) => keychain.check().await,
            Self::File(file) => file.check().await,
            Self::Memory(_) => Ok(()),
        }
    }

    /// Unlocks a keychain. The other kinds are never locked, so they are only checked.
    pub async fn unlock(&self) -> Result<(), Error> {
        match self {
            Self::Keychain(keychain) => keychain.unlock().await,
            Self::File(file) => file.check().await,
            Self::Memory(_) => Ok(()),
        }
    }

    pub async fn get(&self, item: &Item) -> Result<Option<Secret>, Error> {
        match self {
            Self::Keychain(keychain) => keychain.get(item).await,
            Self::File(file) => file.get(item).await,
            Self::Memory(memory) => Ok(memory.get(item)),
        }
    }

    pub async fn put(&self, item: &Item, secret: Secret) -> Result<(), Error> {
        match self {
            Self::Keychain(keychain) => keychain.put(item, secret).await,
            Self::File(file) => file.put(item, secret).await,
            Self::Memory(memory) => {
                memory.put(item, secret);
                Ok(())
            }
        }
    }

    /// Returns `false` if the item did not exist or the condition was not met.
    pub async fn delete(&self, item: &Item, condition: Option<Condition>) -> Result<bool, Error> {
        match self {
            Self::Keychain(keychain) => keychain.delete(item, condition).await,
            Self::File(file) => file.delete(item, condition).await,
            Self::Memory(memory) => Ok(memory.delete(item, condition)),
        }
    }

    pub async fn list(&self) -> Result<Vec<String>, Error> {
        match self {
            Self::Keychain(keychain) => keychain.list().await,
            Self::File(file) => file.list().await,
            Self::Memory(memory) => Ok(memory.list()),
        }
    }
}
