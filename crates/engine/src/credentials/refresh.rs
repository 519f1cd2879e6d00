//! A renewal as a transaction: guard, read anew, note, send, store, hold.

use std::sync::Arc;

use futures::FutureExt;
use usher_oauth::{ErrorKind, Grant, RefreshError};

use super::state::Held;
use super::{Inner, Token};
use crate::credentials::CredentialFault;
use crate::credentials::freshness::{Freshness, HeldGrant};
use crate::credentials::grant::{bearer, same_tokens};

impl Inner {
    /// One renewal from beginning to end; clears the way for the next one.
    pub async fn fly(&self, grant: Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let guard = self.around.guard.lock().await;
        let outcome = self.refresh(&grant).await;
        drop(guard);
        let mut state = self.lock();
        state.flight = None;
        match &outcome {
            Ok(_) => state.pause.end(),
            Err(fault) => {
                state.pause.after(fault, self.around.clock.now());
                if fault.needs_sign_in() {
                    state.ended = Some(fault.clone());
                }
            }
        }
        let ended = state.ended.is_some();
        drop(state);
        if ended {
            (self.around.changed)();
        }
        outcome
    }

    async fn refresh(&self, grant: &Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let now = || self.around.clock.now();
        // Somebody else may have renewed it meanwhile: a newer grant in the store is the one to go on with.
        let mut base = match self.read().await? {
            Held::Grant(stored) if same_tokens(&stored, grant) => stored,
            Held::Grant(stored) => {
                if stored.freshness(now()) == Freshness::Fresh {
                    self.hold(Held::Grant(Arc::clone(&stored)));
                    return Ok(Some(bearer(&stored)));
                }
                stored
            }
            held @ (Held::Nothing | Held::Quarantined | Held::Unread) => {
                self.hold(held);
                return Err(CredentialFault::Over);
            }
        };
        let mut retried = false;
        loop {
            let error = match self.send(&base).await? {
                Ok(renewed) => {
                    let token = bearer(&renewed);
                    self.keep(renewed).await?;
                    return Ok(Some(token));
                }
                Err(RefreshError { error, rotated: Some(rotated) }) => {
                    // Refused for its access token; its refresh token is the only good one all the same.
                    self.keep(Grant { refresh_token: Some(rotated), ..Grant::clone(&base) }).await?;
                    return Err(CredentialFault::Refresh(error));
                }
                Err(RefreshError { error, rotated: None }) => error,
            };
            let was_open = self.lock().is_open(&base);
            if error.is_outcome_unknown() {
                self.lock().open = base.refresh_token.clone();
            } else if !was_open || error.is_terminal_for_grant() {
                self.around.kept.intents().clear(&self.around.server).await;
            }
            if error.is_registration_lost() || self.has_lost_client(&base, &error) {
                self.around.kept.forget_client(&base.binding.issuer, &base.binding.client_id);
                return Err(CredentialFault::RegistrationLost(error));
            }
            if !error.is_terminal_for_grant() {
                return Err(CredentialFault::Refresh(error));
            }
            match self.read().await? {
                Held::Grant(stored) if !same_tokens(&stored, &base) && !retried => {
                    retried = true;
                    base = stored;
                }
                Held::Grant(_) | Held::Nothing | Held::Quarantined | Held::Unread => {
                    if let Some(token) = &base.refresh_token {
                        let store = self.around.stores.get();
                        store.delete_grant_if(&self.around.server.0, token.as_secret()).await?;
                    }
                    tracing::info!(server = %self.around.server, was_open, "the authorization server ended the sign-in");
                    self.lock().open = None;
                    self.hold(Held::Nothing);
                    return Err(if was_open { CredentialFault::RenewalLost } else { CredentialFault::Over });
                }
            }
        }
    }

    /// Notes what is about to happen, then sends it.
    async fn send(&self, base: &HeldGrant) -> Result<Result<Grant, RefreshError>, CredentialFault> {
        let secret = self.client_secret(base).await?;
        let now = self.around.clock.now();
        if let Some(token) = &base.refresh_token {
            self.around.kept.intents().note(&self.around.server, token, now).await;
        }
        let http = self.lock().http.clone();
        Ok(usher_oauth::refresh(&http, base, secret.as_ref(), now).boxed().await)
    }

    /// Whether the secret of a client that registered itself is gone: nobody could enter it again.
    fn has_lost_client(&self, base: &HeldGrant, error: &usher_oauth::Error) -> bool {
        let state = self.lock();
        let configured = state.configured.as_ref().map(|(client_id, _)| client_id);
        matches!(error.kind, ErrorKind::ClientSecretMissing) && configured != Some(&base.binding.client_id)
    }

    /// The rotated token is the only one left: it is written before anything is done with it.
    async fn keep(&self, grant: Grant) -> Result<(), CredentialFault> {
        self.lock().unsaved = Some(grant);
        self.save().await.map(drop)
    }
}
