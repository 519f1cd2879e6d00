//! Reading, saving and deleting the stored grant.

use std::sync::{Arc, MutexGuard, PoisonError};

use secrecy::SecretString;
use usher_oauth::Grant;

use super::Inner;
use super::fault::CredentialFault;
use super::gate::{AdmittedGrant, Gate};
use super::held_grant::HeldGrant;
use super::state::{Held, State};
use super::stored_grant::{from_stored, to_stored};

impl Inner {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn hold(&self, held: Held) {
        self.lock().held = held;
        (self.context.on_change)();
    }

    /// Reads the stored grant into memory, and checks whether the previous run was interrupted while refreshing it.
    pub async fn load(&self) -> Result<(), CredentialFault> {
        let context = &self.context;
        let found = self.read().await?;
        let interrupted = match found.grant().and_then(|grant| grant.refresh_token.clone()) {
            Some(token) if context.journal.contains(&context.server, &token).await => Some(token),
            Some(_) | None => None,
        };
        {
            let mut state = self.lock();
            // If the grant changed during the read, the change is newer.
            if matches!(state.held, Held::Unread) {
                state.held = found;
                state.interrupted = interrupted;
            }
        }
        (context.on_change)();
        Ok(())
    }

    /// Reads the stored grant and checks it against the server's entry.
    pub async fn read(&self) -> Result<Held, CredentialFault> {
        let context = &self.context;
        let stored = context.stores.run(|store| async move { store.grant(&context.server.0).await }).await?;
        let Some(stored) = stored else { return Ok(Held::Nothing) };
        Ok(match from_stored(stored).map(|grant| self.admit(grant)) {
            Some(Ok(grant)) => Held::Grant(self.held(grant)),
            Some(Err(_)) | None => {
                tracing::warn!(server = %context.server, "the stored grant belongs to another server or client; it is not used");
                Held::Quarantined
            }
        })
    }

    fn held(&self, grant: AdmittedGrant) -> Arc<HeldGrant> {
        Arc::new(self.lock().held_grant(grant, self.context.clock.now()))
    }

    /// Returns the grant unchanged if it does not belong to the server's entry.
    pub fn admit(&self, grant: Grant) -> Result<AdmittedGrant, Box<Grant>> {
        let context = &self.context;
        let client_id = self.lock().pre_registered.as_ref().map(|(client_id, _)| client_id.clone());
        let discovered = context.learned.discovered(&context.key);
        let gate = Gate {
            server: &context.url,
            client_id: client_id.as_deref(),
            token_endpoint: context.token_endpoint.as_ref(),
            discovered: discovered.as_ref(),
        };
        gate.admit(grant)
    }

    /// Stores the unsaved grant, then keeps it in memory. Returns whether there was one. The caller must hold the
    /// guard.
    pub async fn save(&self) -> Result<bool, CredentialFault> {
        let context = &self.context;
        let Some(grant) = self.lock().unsaved.clone() else { return Ok(false) };
        let stored = to_stored(&grant);
        context.stores.run(|store| async move { store.put_grant(&context.server.0, &stored).await }).await?;
        context.journal.clear(&context.server).await;
        self.replace(Held::Grant(self.held(grant)));
        Ok(true)
    }

    /// Deletes the grant, in the store first, and returns it. The caller must hold the guard.
    pub async fn delete(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        let context = &self.context;
        // An unsaved grant is newer than the one in memory, so it is the one to revoke.
        let held = {
            let state = self.lock();
            let unsaved = state.unsaved.clone();
            unsaved.map(|grant| Arc::new(state.held_grant(grant, context.clock.now()))).or(state.held.grant())
        };
        let held = match held {
            Some(held) => Some(held),
            None => self.read().await.ok().and_then(|held| held.grant()),
        };
        context.stores.run(|store| async move { store.delete_grant(&context.server.0).await }).await?;
        context.journal.clear(&context.server).await;
        self.replace(Held::Nothing);
        Ok(held)
    }

    /// Keeps in memory the value that was just written to the store.
    fn replace(&self, held: Held) {
        {
            let mut state = self.lock();
            state.unsaved = None;
            state.interrupted = None;
            state.ended = None;
            state.held = held;
        }
        (self.context.on_change)();
    }

    pub async fn client_secret(&self, grant: &Grant) -> Result<Option<SecretString>, CredentialFault> {
        let binding = &grant.binding;
        if !binding.auth_method.needs_secret() {
            return Ok(None);
        }
        if let Some((client_id, secret)) = &self.lock().pre_registered
            && *client_id == binding.client_id
        {
            return Ok(secret.clone());
        }
        let store = self.context.stores.get();
        Ok(store.client_secret(binding.issuer.as_str(), &binding.client_id).await?)
    }
}
