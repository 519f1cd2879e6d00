//! One server's grant: stored in the secret store, cached in memory, refreshed by one task at a time.

pub(crate) mod fault;
pub(crate) mod gate;
pub(crate) mod held_grant;
mod refresh;
mod refresh_backoff;
mod refresh_pace;
mod shared_refresh;
mod state;
mod storage;
pub(crate) mod stored_grant;
pub(crate) mod token;
pub(crate) mod unattended;

use std::fmt;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use url::Url;
use usher_api::ServerId;
use usher_oauth::{Grant, HttpClient, ServerUrl};

use crate::clock::Clock;
use crate::learned::Learned;
use crate::refresh_journal::RefreshJournal;
use crate::secret_stores::SecretStores;
use crate::server_key::ServerKey;
use fault::CredentialFault;
use held_grant::{Freshness, HeldGrant};
use shared_refresh::SharedRefresh;
use state::{Held, State};
use stored_grant::same_tokens;
use token::Token;
use unattended::UnattendedSettings;

/// The client id in `mcp.json`, with its secret if there is one.
pub(crate) type PreRegistered = Option<(String, Option<SecretString>)>;

/// The inputs of one server's credentials.
pub(crate) struct CredentialsContext {
    pub server: ServerId,
    pub url: ServerUrl,
    /// The server's key in the learned data.
    pub key: ServerKey,
    /// The configured token endpoint, if there is one.
    pub token_endpoint: Option<Url>,
    pub stores: SecretStores,
    pub learned: Learned,
    pub journal: RefreshJournal,
    pub clock: Clock,
    /// Held during every change of the stored grant. All tasks of this server in this run share it. Two refreshes with
    /// the same refresh token would make the authorization server revoke the grant.
    pub guard: Arc<tokio::sync::Mutex<()>>,
    /// Refreshes run here and outlive their callers.
    pub tasks: TaskTracker,
    /// Cancelled when the engine stops. No refresh starts then, because it could be interrupted.
    pub stopping: CancellationToken,
    /// Called when the grant in memory changed or ended.
    pub on_change: Box<dyn Fn() + Send + Sync>,
}

/// One server's credentials. Clones share one grant.
#[derive(Clone)]
pub(crate) struct Credentials(Arc<Inner>);

struct Inner {
    context: CredentialsContext,
    state: Mutex<State>,
}

impl Credentials {
    pub fn new(context: CredentialsContext, http: HttpClient) -> Self {
        Self(Arc::new(Inner { context, state: Mutex::new(State::new(http)) }))
    }

    /// Prepares for a new connection, because the client, the network or the stored grant may have changed. The stored
    /// grant is read again, unless a refresh is running or a grant is not saved yet.
    ///
    /// `unattended` are the settings of an entry whose grants need no person. After `values_withdrawn` is cancelled,
    /// nothing is refreshed.
    pub fn reset(
        &self,
        pre_registered: PreRegistered,
        unattended: Option<UnattendedSettings>,
        http: HttpClient,
        values_withdrawn: CancellationToken,
    ) {
        let mut state = self.0.lock();
        state.pre_registered = pre_registered;
        state.unattended = unattended;
        state.http = http;
        state.values_withdrawn = values_withdrawn;
        state.backoff.end();
        state.ended = None;
        if state.unsaved.is_none() && state.refresh.is_none() {
            state.held = Held::Unread;
        }
    }

    /// Returns the token for a request, refreshed shortly before it expires, or `None` without a grant. A token known
    /// to be expired is never returned.
    pub async fn token(&self) -> Result<Option<Token>, CredentialFault> {
        let Some(grant) = self.grant().await? else { return Ok(None) };
        match self.freshness(&grant) {
            Freshness::Fresh => Ok(Some(Token::of(&grant))),
            Freshness::Due => match self.join_refresh(&grant).await {
                // The token is still valid.
                Err(fault)
                    if fault.is_transient() || matches!(fault, CredentialFault::RefreshRejected(_)) =>
                {
                    Ok(Some(Token::of(&grant)))
                }
                outcome => outcome,
            },
            Freshness::Expired if self.0.lock().is_renewable(&grant) => self.join_refresh(&grant).await,
            Freshness::Expired => Err(CredentialFault::Expired),
        }
    }

    /// Returns a token other than the rejected one, or `None` if there is no way to get one.
    pub async fn refresh(&self, rejected: &SecretString) -> Result<Option<Token>, CredentialFault> {
        let Some(grant) = self.grant().await? else { return Ok(None) };
        if grant.access_token.expose() != rejected.expose_secret() {
            return self.token().await;
        }
        if !self.0.lock().is_renewable(&grant) {
            return Ok(None);
        }
        self.join_refresh(&grant).await
    }

    /// Returns whether a refresh, or a new grant without a person, can replace the grant.
    pub fn is_renewable(&self, grant: &Grant) -> bool {
        self.0.lock().is_renewable(grant)
    }

    /// Returns the time at which [`Self::maintain`] must run: to refresh before expiry, to report an expiry, to repeat
    /// an interrupted refresh, or to save a grant.
    pub fn due(&self) -> Option<Timestamp> {
        self.0.lock().due(self.0.context.clock.now())
    }

    /// Performs the maintenance that is due.
    pub async fn maintain(&self) -> Result<(), CredentialFault> {
        let grant = match self.grant().await {
            Ok(grant) => grant,
            Err(fault) => {
                self.0.lock().backoff.start(&fault, self.0.context.clock.now());
                return Err(fault);
            }
        };
        let is_due = self.due().is_some_and(|due| due <= self.0.context.clock.now());
        let Some(grant) = grant.filter(|_| is_due) else { return Ok(()) };
        let outcome = match self.is_renewable(&grant) {
            true => self.join_refresh(&grant).await.map(drop),
            false => Err(CredentialFault::Expired),
        };
        if let Err(fault @ CredentialFault::Expired) = &outcome {
            self.0.lock().ended = Some(fault.clone());
        }
        outcome
    }

    /// Returns the reason why the grant ended, if it has ended.
    pub fn ended(&self) -> Option<CredentialFault> {
        self.0.lock().ended.clone()
    }

    /// Ends the backoff after failed refreshes, unless the authorization server asked for it. Call this method when the
    /// network or the secret store may work again.
    pub fn retry_now(&self) {
        self.0.lock().backoff.cut_short();
    }

    /// Returns the token in memory if it has not expired, without reading the store.
    pub fn cached_token(&self) -> Option<Token> {
        let grant = self.held()?;
        match grant.freshness(self.0.context.clock.now()) {
            Freshness::Fresh | Freshness::Due => Some(Token::of(&grant)),
            Freshness::Expired => None,
        }
    }

    /// Returns the grant in memory.
    pub fn held(&self) -> Option<Arc<HeldGrant>> {
        self.0.lock().held.grant()
    }

    /// Returns whether the stored grant does not fit the server's entry.
    pub fn is_quarantined(&self) -> bool {
        matches!(self.0.lock().held, Held::Quarantined)
    }

    /// Saves a new grant, first in the store, then in memory. If the store fails, the next use of the grant retries.
    ///
    /// Calls `should_save` under the guard. If it returns `false`, or if the grant does not belong to the server's entry,
    /// the grant is returned instead of saved.
    pub async fn put(
        &self,
        grant: Grant,
        should_save: impl Fn() -> bool,
    ) -> Result<Option<Grant>, CredentialFault> {
        let _guard = self.0.context.guard.lock().await;
        if !should_save() {
            return Ok(Some(grant));
        }
        let grant = match self.0.admit(grant) {
            Ok(grant) => grant,
            Err(grant) => {
                tracing::warn!(server = %self.0.context.server, "the new grant belongs to another server or client");
                return Ok(Some(*grant));
            }
        };
        self.0.lock().unsaved = Some(grant);
        self.0.save().await?;
        self.0.lock().backoff.end();
        Ok(None)
    }

    /// Tries again to save a grant that could not be stored.
    pub async fn save_unsaved(&self) {
        if self.0.lock().unsaved.is_none() {
            return;
        }
        let _guard = self.0.context.guard.lock().await;
        if let Err(fault) = self.0.save().await {
            tracing::warn!(server = %self.0.context.server, %fault, "the new grant was not saved");
        }
    }

    /// Deletes the grant, in the store first, and returns it.
    pub async fn remove(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        let _guard = self.0.context.guard.lock().await;
        self.0.delete().await
    }

    pub async fn client_secret(&self, grant: &Grant) -> Result<Option<SecretString>, CredentialFault> {
        self.0.client_secret(grant).await
    }

    async fn grant(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        if self.0.lock().unsaved.is_some() {
            let _guard = self.0.context.guard.lock().await;
            // If a refresh saved the grant while this call waited for the guard, that refresh sets the backoff.
            if self.0.save().await? {
                self.0.lock().backoff.end();
            }
        }
        if matches!(self.0.lock().held, Held::Unread) {
            self.0.load().await?;
        }
        Ok(self.held())
    }

    fn freshness(&self, grant: &HeldGrant) -> Freshness {
        match grant.freshness(self.0.context.clock.now()) {
            // An interrupted refresh is repeated at once: some servers accept the old token for a few more seconds.
            Freshness::Fresh if self.0.lock().is_interrupted(grant) => Freshness::Due,
            freshness => freshness,
        }
    }

    /// Joins the running refresh or starts one. The refresh continues if the caller is dropped.
    async fn join_refresh(&self, grant: &Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let refresh = {
            let mut state = self.0.lock();
            // `held` changes before the refresh ends, so a late caller finds the new grant here.
            match &state.held {
                Held::Grant(newer) if !same_tokens(newer, grant) => return Ok(Some(Token::of(newer))),
                Held::Grant(_) | Held::Unread => {}
                Held::Nothing | Held::Quarantined => return Ok(None),
            }
            match &state.refresh {
                Some(refresh) => refresh.clone(),
                None => {
                    if let Some(fault) = state.backoff.fault(self.0.context.clock.now()) {
                        return Err(fault.clone());
                    }
                    if self.0.context.stopping.is_cancelled() {
                        return Err(CredentialFault::RefreshCancelled);
                    }
                    state.refresh.insert(self.start_refresh(Arc::clone(grant))).clone()
                }
            }
        };
        refresh.outcome().await
    }

    fn start_refresh(&self, grant: Arc<HeldGrant>) -> SharedRefresh {
        let inner = Arc::clone(&self.0);
        let task = self.0.context.tasks.spawn(async move { inner.refresh_once(grant).await });
        let inner = Arc::downgrade(&self.0);
        SharedRefresh::new(task, move || {
            if let Some(inner) = inner.upgrade() {
                inner.lock().refresh = None;
            }
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("server", &self.0.context.server).finish_non_exhaustive()
    }
}
