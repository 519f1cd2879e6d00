//! Between memory and the secret store: what is read, written and forgotten there, under the guard.

use std::sync::{Arc, MutexGuard, PoisonError};

use secrecy::SecretString;
use usher_oauth::{Discovered, Grant};

use super::Inner;
use super::state::{Held, State};
use crate::credentials::CredentialFault;
use crate::credentials::freshness::HeldGrant;
use crate::credentials::grant::{belongs, from_stored, to_stored};

impl Inner {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn hold(&self, held: Held) {
        self.lock().held = held;
        (self.around.changed)();
    }

    /// The sign-in that the run before left, and whether it left a renewal open.
    pub async fn read_first(&self) -> Result<(), CredentialFault> {
        let found = self.read().await?;
        let open = match found.grant().and_then(|grant| grant.refresh_token.clone()) {
            Some(token) if self.around.kept.intents().is_noted(&self.around.server, &token).await => {
                Some(token)
            }
            Some(_) | None => None,
        };
        {
            let mut state = self.lock();
            // A sign-in may have come or gone while the store was read: it is the newer one.
            if matches!(state.held, Held::Unread) {
                state.held = found;
                state.open = open;
            }
        }
        (self.around.changed)();
        Ok(())
    }

    /// What the store has, held against what this server is now.
    pub async fn read(&self) -> Result<Held, CredentialFault> {
        let outcome = self.around.stores.get().grant(&self.around.server.0).await;
        self.around.stores.note(outcome.as_ref().err());
        let Some(stored) = outcome? else { return Ok(Held::Nothing) };
        let discovered: Option<Discovered> = self.around.kept.discovered(&self.around.url);
        let client_id = self.lock().configured.as_ref().map(|(client_id, _)| client_id.clone());
        Ok(match from_stored(stored) {
            Some(grant) if belongs(&grant, &self.around.url, client_id.as_deref(), discovered.as_ref()) => {
                Held::Grant(Arc::new(HeldGrant::new(grant, self.around.clock.now())))
            }
            Some(_) | None => {
                tracing::warn!(server = %self.around.server, "the kept sign-in belongs to another server or client; it is not used");
                Held::Quarantined
            }
        })
    }

    /// Writes what waits to be written, then holds it; whether there was something. Under the guard.
    pub async fn save(&self) -> Result<bool, CredentialFault> {
        let Some(grant) = self.lock().unsaved.clone() else { return Ok(false) };
        let outcome = self.around.stores.get().put_grant(&self.around.server.0, &to_stored(&grant)).await;
        self.around.stores.note(outcome.as_ref().err());
        outcome?;
        self.around.kept.intents().clear(&self.around.server).await;
        {
            let mut state = self.lock();
            state.unsaved = None;
            state.open = None;
            state.ended = None;
            state.held = Held::Grant(Arc::new(HeldGrant::new(grant, self.around.clock.now())));
        }
        (self.around.changed)();
        Ok(true)
    }

    /// Forgets the sign-in, in the store first, and gives back what was held. Under the guard.
    pub async fn forget(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        // What the store did not take yet is the newest, and the one to be revoked.
        let held = {
            let state = self.lock();
            let unsaved = state.unsaved.clone();
            unsaved
                .map(|grant| Arc::new(HeldGrant::new(grant, self.around.clock.now())))
                .or(state.held.grant())
        };
        let held = match held {
            Some(held) => Some(held),
            None => self.read().await.ok().and_then(|held| held.grant()),
        };
        let outcome = self.around.stores.get().delete_grant(&self.around.server.0).await;
        self.around.stores.note(outcome.as_ref().err());
        outcome?;
        self.around.kept.intents().clear(&self.around.server).await;
        {
            let mut state = self.lock();
            state.unsaved = None;
            state.open = None;
            state.ended = None;
            state.held = Held::Nothing;
        }
        (self.around.changed)();
        Ok(held)
    }

    pub async fn client_secret(&self, grant: &Grant) -> Result<Option<SecretString>, CredentialFault> {
        let binding = &grant.binding;
        if !binding.auth_method.needs_secret() {
            return Ok(None);
        }
        if let Some((client_id, secret)) = &self.lock().configured
            && *client_id == binding.client_id
        {
            return Ok(secret.clone());
        }
        let store = self.around.stores.get();
        Ok(store.client_secret(binding.issuer.as_str(), &binding.client_id).await?)
    }
}
