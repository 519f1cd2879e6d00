//! A refresh as a transaction: take the guard, read the store again, write the journal, send the request, store the new
//! grant, use it.

use std::sync::Arc;

use futures::FutureExt;
use usher_oauth::{ClientSettings, ErrorKind, Grant, RefreshError, Step, request_unattended};

use super::Inner;
use super::fault::CredentialFault;
use super::gate::AdmittedGrant;
use super::held_grant::{Freshness, HeldGrant};
use super::state::Held;
use super::stored_grant::same_tokens;
use super::token::Token;

impl Inner {
    /// Runs one refresh under the guard, and records its outcome.
    pub async fn refresh_once(&self, grant: Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let outcome = self.refresh_in_turn(&grant).await;
        let now = self.context.clock.now();
        let mut state = self.lock();
        state.refresh = None;
        match &outcome {
            Ok(_) => {
                state.backoff.end();
                let is_short_lived = state.held.grant().is_some_and(|grant| grant.is_short_lived());
                state.pace.note(is_short_lived, now);
            }
            Err(fault) => {
                state.backoff.start(fault, self.context.clock.now());
                if fault.is_end_of_grant() {
                    state.ended = Some(fault.clone());
                }
            }
        }
        let ended = state.ended.is_some();
        drop(state);
        if ended {
            (self.context.on_change)();
        }
        outcome
    }

    /// Refreshes under the guard, and not too soon after the last refresh of a short-lived token.
    async fn refresh_in_turn(&self, grant: &Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let wait = self.lock().pace.wait(self.context.clock.now());
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = self.context.stopping.cancelled() => return Err(CredentialFault::RefreshCancelled),
        }
        let _guard = self.context.guard.lock().await;
        self.refresh(grant).await
    }

    async fn refresh(&self, grant: &Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let context = &self.context;
        // Another process may have refreshed the grant. A newer grant in the store is used instead.
        let mut base = match self.read().await? {
            Held::Grant(stored) if same_tokens(&stored, grant) => stored,
            Held::Grant(stored) => {
                if stored.freshness(context.clock.now()) == Freshness::Fresh {
                    self.hold(Held::Grant(Arc::clone(&stored)));
                    return Ok(Some(Token::of(&stored)));
                }
                stored
            }
            held @ (Held::Nothing | Held::Quarantined | Held::Unread) => {
                self.hold(held);
                return Err(CredentialFault::Ended);
            }
        };
        let unattended = self.lock().unattended.clone();
        if let Some(settings) = unattended {
            return self.replace_unattended(&base, settings.current().await).await;
        }
        let mut retried = false;
        loop {
            let error = match self.send(&base).await? {
                Ok(refreshed) => {
                    context.learned.learn_quirks(&base.binding, &refreshed.binding);
                    let token = Token::of(&refreshed);
                    self.store(base.refreshed(refreshed)).await?;
                    return Ok(Some(token));
                }
                Err(RefreshError { error, rotated: Some(rotated) }) => {
                    // The type of the access token is not supported, but the old refresh token may no longer be valid.
                    self.store(base.refreshed(*rotated)).await?;
                    return Err(CredentialFault::Refresh(error));
                }
                Err(RefreshError { error, rotated: None }) => error,
            };
            let was_interrupted = self.lock().is_interrupted(&base);
            if error.is_outcome_unknown() {
                self.lock().interrupted = base.refresh_token.clone();
            } else if !was_interrupted || error.is_terminal_for_grant() {
                context.journal.clear(&context.server).await;
            }
            if error.is_registration_lost() || self.has_lost_client(&base, &error) {
                context.learned.forget_client(&base.binding.issuer, &base.binding.client_id);
                return Err(CredentialFault::RegistrationLost(error));
            }
            if error.is_refresh_rejected() {
                return Err(CredentialFault::RefreshRejected(error));
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
                        let store = context.stores.get();
                        store.delete_grant_if(&context.server.0, token.as_secret()).await?;
                    }
                    tracing::info!(server = %context.server, was_interrupted, "the authorization server ended the grant");
                    self.lock().interrupted = None;
                    self.hold(Held::Nothing);
                    return Err(if was_interrupted {
                        CredentialFault::RefreshInterrupted
                    } else {
                        CredentialFault::Ended
                    });
                }
            }
        }
    }

    /// Gets a new grant without a person, with the scopes of the old one.
    async fn replace_unattended(
        &self,
        base: &HeldGrant,
        settings: ClientSettings,
    ) -> Result<Option<Token>, CredentialFault> {
        let (http, now) = (self.lock().http.clone(), self.context.clock.now());
        self.check_may_send()?;
        // The settings may have changed since the old grant was issued.
        let (planned, scopes) = (base.binding.clone().with_client_of(&settings), &base.scopes);
        let binding = planned.clone();
        let outcome = request_unattended(&http, binding, &settings, scopes, Step::Refresh, now).boxed().await;
        match outcome {
            Ok(grant) => {
                self.context.learned.learn_quirks(&planned, &grant.binding);
                let token = Token::of(&grant);
                self.store(base.refreshed(grant)).await?;
                Ok(Some(token))
            }
            Err(error) if error.may_pass_without_person() => Err(CredentialFault::Refresh(error)),
            Err(error) => Err(CredentialFault::Rejected(error)),
        }
    }

    /// Writes the journal, then sends the refresh token.
    async fn send(&self, base: &HeldGrant) -> Result<Result<Grant, RefreshError>, CredentialFault> {
        let secret = self.client_secret(base).await?;
        self.check_may_send()?;
        let now = self.context.clock.now();
        if let Some(token) = &base.refresh_token {
            self.context.journal.add(&self.context.server, token, now).await;
        }
        let http = self.lock().http.clone();
        Ok(usher_oauth::refresh(&http, base, secret.as_ref(), now).boxed().await)
    }

    /// Fails if the values of the entry may no longer be sent.
    fn check_may_send(&self) -> Result<(), CredentialFault> {
        let is_withdrawn = self.lock().values_withdrawn.is_cancelled();
        if is_withdrawn { Err(CredentialFault::RefreshCancelled) } else { Ok(()) }
    }

    /// Returns whether the secret of a dynamically registered client is lost. A person cannot enter such a secret.
    fn has_lost_client(&self, base: &HeldGrant, error: &usher_oauth::Error) -> bool {
        let state = self.lock();
        let pre_registered = state.pre_registered.as_ref().map(|(client_id, _)| client_id);
        matches!(error.kind, ErrorKind::ClientSecretMissing)
            && pre_registered != Some(&base.binding.client_id)
    }

    /// Stores the new grant before it is used, because the old refresh token may no longer be valid.
    async fn store(&self, grant: AdmittedGrant) -> Result<(), CredentialFault> {
        self.lock().unsaved = Some(grant);
        self.save().await.map(drop)
    }
}
