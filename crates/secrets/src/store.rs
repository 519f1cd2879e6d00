//! The secret store: grants, pending sign-ins, client secrets and named secrets.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};

use crate::backend::Backend;
use crate::file::FileBackend;
use crate::item::Item;
use crate::keychain::KeychainBackend;
use crate::memory::MemoryBackend;
use crate::secret::Secret;
use crate::{Error, StoreKind, StoredGrant, codec};

/// A handle to a secret store. A clone refers to the same store.
#[derive(Clone)]
pub struct SecretStore {
    kind: StoreKind,
    backend: Arc<Backend>,
}

impl SecretStore {
    /// Returns a store for actions that the person starts. If the keychain is locked, a call opens the system's unlock
    /// prompt.
    ///
    /// The first call connects to the store and returns any connection error.
    pub fn open(kind: StoreKind) -> Self {
        Self::new(kind, true)
    }

    /// Returns a store for background work. If the keychain is locked, calls fail until the person unlocks it, with
    /// [`SecretStore::unlock`] or in another program.
    pub fn open_without_prompt(kind: StoreKind) -> Self {
        Self::new(kind, false)
    }

    fn new(kind: StoreKind, may_prompt: bool) -> Self {
        let backend = match &kind {
            StoreKind::Keychain => Backend::Keychain(KeychainBackend::new(may_prompt)),
            StoreKind::File(path) => Backend::File(FileBackend::new(path.clone())),
            StoreKind::Memory => Backend::Memory(MemoryBackend::default()),
        };
        Self { kind, backend: Arc::new(backend) }
    }

    pub fn kind(&self) -> &StoreKind {
        &self.kind
    }

    /// Checks that the store is available and unlocked.
    pub async fn check(&self) -> Result<(), Error> {
        self.backend.check().await
    }

    /// Opens the system's unlock prompt if the keychain is locked, and waits up to two minutes for the person.
    /// Otherwise, does the same as [`SecretStore::check`].
    pub async fn unlock(&self) -> Result<(), Error> {
        self.backend.unlock().await
    }

    /// Returns the grant of a server. `None` means that the store has none.
    pub async fn grant(&self, server: &str) -> Result<Option<StoredGrant>, Error> {
        let item = Item::grant(server)?;
        match self.backend.get(&item).await? {
            Some(secret) => codec::decode_grant(&secret).map(Some).map_err(|why| item.corrupt(why)),
            None => Ok(None),
        }
    }

    /// Stores a grant. Returns after the grant has been written.
    pub async fn put_grant(&self, server: &str, grant: &StoredGrant) -> Result<(), Error> {
        self.backend.put(&Item::grant(server)?, codec::encode_grant(grant)).await
    }

    /// Deletes a grant. Returns `false` if there was none.
    pub async fn delete_grant(&self, server: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::grant(server)?, None).await
    }

    /// Deletes a grant if it still has this refresh token. Otherwise returns `false`. An unreadable grant is not
    /// deleted.
    pub async fn delete_grant_if(&self, server: &str, refresh_token: &SecretString) -> Result<bool, Error> {
        let expected = refresh_token.clone();
        let is_unchanged = move |secret: &Secret| {
            codec::decode_grant(secret).is_ok_and(|grant| {
                grant.refresh_token.is_some_and(|token| token.expose_secret() == expected.expose_secret())
            })
        };
        self.backend.delete(&Item::grant(server)?, Some(Box::new(is_unchanged))).await
    }

    /// Returns the pending sign-in of a server, so that the sign-in can be completed after a restart.
    pub async fn pending(&self, server: &str) -> Result<Option<SecretString>, Error> {
        self.text(Item::pending(server)?).await
    }

    /// Stores a pending sign-in. It is a secret because it contains a code verifier.
    pub async fn put_pending(&self, server: &str, pending: &SecretString) -> Result<(), Error> {
        self.backend.put(&Item::pending(server)?, codec::encode_text(pending)).await
    }

    /// Deletes a pending sign-in. Returns `false` if there was none.
    pub async fn delete_pending(&self, server: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::pending(server)?, None).await
    }

    /// Returns the secret of a client that is registered with an issuer.
    pub async fn client_secret(&self, issuer: &str, client_id: &str) -> Result<Option<SecretString>, Error> {
        self.text(Item::client(issuer, client_id)?).await
    }

    /// Stores the secret of a client that is registered with an issuer.
    pub async fn put_client_secret(
        &self,
        issuer: &str,
        client_id: &str,
        secret: &SecretString,
    ) -> Result<(), Error> {
        self.backend.put(&Item::client(issuer, client_id)?, codec::encode_text(secret)).await
    }

    /// Deletes the secret of a client. Returns `false` if there was none.
    pub async fn delete_client_secret(&self, issuer: &str, client_id: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::client(issuer, client_id)?, None).await
    }

    /// Returns a named secret, for the placeholder `{{name}}` in `mcp.json`.
    pub async fn named(&self, name: &str) -> Result<Option<SecretString>, Error> {
        self.text(Item::named(name)?).await
    }

    /// Stores a named secret.
    pub async fn put_named(&self, name: &str, secret: &SecretString) -> Result<(), Error> {
        self.backend.put(&Item::named(name)?, codec::encode_text(secret)).await
    }

    /// Deletes a named secret. Returns `false` if there was none.
    pub async fn delete_named(&self, name: &str) -> Result<bool, Error> {
        self.backend.delete(&Item::named(name)?, None).await
    }

    /// Returns the names of all named secrets, sorted.
    pub async fn named_list(&self) -> Result<Vec<String>, Error> {
        let mut names: Vec<String> =
            self.backend.list().await?.iter().filter_map(|user| Item::secret_name(user)).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Returns the names of all servers with a grant, sorted.
    pub async fn granted_servers(&self) -> Result<Vec<String>, Error> {
        let users = self.backend.list().await?;
        let mut names: Vec<String> = users.iter().filter_map(|user| Item::granted_server(user)).collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    async fn text(&self, item: Item) -> Result<Option<SecretString>, Error> {
        match self.backend.get(&item).await? {
            Some(secret) => codec::decode_text(&secret).map(Some).map_err(|why| item.corrupt(why)),
            None => Ok(None),
        }
    }
}

impl std::fmt::Debug for SecretStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretStore").field("kind", &self.kind).finish_non_exhaustive()
    }
}
