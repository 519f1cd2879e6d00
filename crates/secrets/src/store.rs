//! The store that the engine holds: grants, client secrets and named secrets, each one item.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::backend::{Backend, Secret};
use crate::file::FileBackend;
use crate::item::Item;
use crate::keychain::KeychainBackend;
use crate::memory::MemoryBackend;
use crate::{Error, StoreKind, StoredGrant, codec};

/// Where secrets are kept. Cloning gives another handle to the same store.
#[derive(Clone)]
pub struct SecretStore {
    kind: StoreKind,
    backend: Arc<Backend>,
}

impl SecretStore {
    /// Opens nothing yet: a keychain that is absent or locked shows with the first call. The first call that comes upon
    /// the lock has the system ask the person for the password: for what a person has just begun.
    pub fn open(kind: StoreKind) -> Self {
        Self::new(kind, true)
    }

    /// The same, but a locked keychain is an error until the person unlocks it, here by [`SecretStore::unlock`] or
    /// elsewhere: for what goes on by itself.
    pub fn open_quietly(kind: StoreKind) -> Self {
        Self::new(kind, false)
    }

    fn new(kind: StoreKind, asks: bool) -> Self {
        let backend = match &kind {
            StoreKind::Keychain => Backend::Keychain(KeychainBackend::new(asks)),
            StoreKind::File(path) => Backend::File(FileBackend::new(path.clone())),
            StoreKind::Memory => Backend::Memory(MemoryBackend::default()),
        };
        Self { kind, backend: Arc::new(backend) }
    }

    /// What was chosen.
    pub fn kind(&self) -> &StoreKind {
        &self.kind
    }

    /// Whether the store can be used now: it is there, unlocked and answers.
    pub async fn check(&self) -> Result<(), Error> {
        self.backend.check().await
    }

    /// Because the person wants it: has the system ask for the keychain's password where it is locked, and waits for the
    /// answer, two minutes at most. Then as [`SecretStore::check`].
    pub async fn unlock(&self) -> Result<(), Error> {
        self.backend.unlock().await
    }

    /// The kept sign-in of a server; `None` only where the store says that there is none.
    pub async fn grant(&self, server: &str) -> Result<Option<StoredGrant>, Error> {
        let item = Item::grant(server)?;
        match self.backend.get(&item).await? {
            Some(secret) => codec::decode_grant(&secret).map(Some).map_err(|why| corrupt(&item, why)),
            None => Ok(None),
        }
    }

    /// Keeps a sign-in; when this returns it is written.
    pub async fn put_grant(&self, server: &str, grant: &StoredGrant) -> Result<(), Error> {
        self.backend.put(&Item::grant(server)?, codec::encode_grant(grant)).await
    }

    /// Forgets a sign-in; `false` where there was none.
    pub async fn delete_grant(&self, server: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::grant(server)?, None).await
    }

    /// Forgets a sign-in only if its refresh token still is this one; `false` where there was none or a
    /// newer one took its place. An item that cannot be read stays.
    pub async fn delete_grant_if(&self, server: &str, refresh_token: &SecretString) -> Result<bool, Error> {
        let expected = refresh_token.clone();
        let still_that = move |secret: &Secret| {
            codec::decode_grant(secret).is_ok_and(|grant| {
                grant.refresh_token.is_some_and(|kept| kept.expose_secret() == expected.expose_secret())
            })
        };
        self.backend.delete(&Item::grant(server)?, Some(Box::new(still_that))).await
    }

    /// What a sign-in under way needs to be finished by another run of the program.
    pub async fn pending(&self, server: &str) -> Result<Option<SecretString>, Error> {
        self.text(Item::pending(server)?).await
    }

    /// Keeps a sign-in under way; it holds a code verifier, so it is a secret.
    pub async fn put_pending(&self, server: &str, pending: &SecretString) -> Result<(), Error> {
        self.backend.put(&Item::pending(server)?, codec::encode_text(pending)).await
    }

    /// Forgets a sign-in under way; `false` where there was none.
    pub async fn delete_pending(&self, server: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::pending(server)?, None).await
    }

    /// The secret of a client registered at an issuer.
    pub async fn client_secret(&self, issuer: &str, client_id: &str) -> Result<Option<SecretString>, Error> {
        self.text(Item::client(issuer, client_id)?).await
    }

    /// Keeps the secret of a client registered at an issuer.
    pub async fn put_client_secret(
        &self,
        issuer: &str,
        client_id: &str,
        secret: &SecretString,
    ) -> Result<(), Error> {
        self.backend.put(&Item::client(issuer, client_id)?, codec::encode_text(secret)).await
    }

    /// Forgets the secret of a client; `false` where there was none.
    pub async fn delete_client_secret(&self, issuer: &str, client_id: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::client(issuer, client_id)?, None).await
    }

    /// A secret that the person named, for `{{name}}` in `mcp.json`.
    pub async fn named(&self, name: &str) -> Result<Option<SecretString>, Error> {
        self.text(Item::named(name)?).await
    }

    /// Keeps a secret under a name of the person's.
    pub async fn put_named(&self, name: &str, secret: &SecretString) -> Result<(), Error> {
        self.backend.put(&Item::named(name)?, codec::encode_text(secret)).await
    }

    /// Forgets a named secret; `false` where there was none.
    pub async fn delete_named(&self, name: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::named(name)?, None).await
    }

    /// The names of the named secrets, sorted.
    pub async fn named_list(&self) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> =
            self.backend.list().await?.iter().filter_map(|user| Item::named_of(user)).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn text(&self, item: Item) -> Result<Option<SecretString>, Error> {
        match self.backend.get(&item).await? {
            Some(secret) => codec::decode_text(&secret).map(Some).map_err(|why| corrupt(&item, why)),
            None => Ok(None),
        }
    }
}

fn corrupt(item: &Item, why: String) -> Error {
    Error::Corrupt { item: item.user().to_owned(), why }
}

impl std::fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretStore").field("kind", &self.kind).finish_non_exhaustive()
    }
}
