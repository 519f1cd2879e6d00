//! One server's sign-in: kept in the secret store, held in memory, renewed by one task at a time.

mod fault;
pub(crate) mod freshness;
pub(crate) mod grant;
pub(crate) mod stores;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared as SharedFuture};
use secrecy::{ExposeSecret, SecretString};
use tokio_util::task::TaskTracker;
use usher_oauth::{Discovered, Grant, HttpClient, ServerUrl};

use crate::ServerId;
use crate::clock::Clock;
use crate::credentials::freshness::{Freshness, HeldGrant};
use crate::credentials::grant::{bearer, belongs, from_stored, same_tokens, to_stored};
use crate::credentials::stores::Stores;
use crate::kept::Kept;

pub(crate) use fault::CredentialFault;

type Token = SecretString;
type Flight = SharedFuture<BoxFuture<'static, Result<Option<Token>, CredentialFault>>>;

/// What the credentials of one server need from around them.
pub(crate) struct Surroundings {
    pub server: ServerId,
    pub url: ServerUrl,
    pub http: HttpClient,
    pub stores: Stores,
    pub kept: Kept,
    pub clock: Clock,
    /// Held over everything that changes the kept sign-in, across every owner that a server may have had in this
    /// run: two renewals with one refresh token would end the whole grant.
    pub guard: Arc<tokio::sync::Mutex<()>>,
    /// Renewals run here and outlive whoever asked for them.
    pub tasks: TaskTracker,
    /// Called when the held grant changed, so that the view follows.
    pub changed: Box<dyn Fn() + Send + Sync>,
}

/// Cloning gives another handle to the same sign-in.
#[derive(Clone)]
pub(crate) struct Credentials(Arc<Inner>);

/// A client set up by hand, from `mcp.json`: its id and secret.
pub(crate) type ConfiguredClient = Option<(String, Option<SecretString>)>;

struct Inner {
    around: Surroundings,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    configured: ConfiguredClient,
    held: Held,
    /// Came from the authorization server, but the secret store did not take it yet. It is not used before.
    unsaved: Option<Grant>,
    flight: Option<Flight>,
    /// After a failed renewal: what it was, and when to try again.
    pause: Option<(jiff::Timestamp, CredentialFault)>,
}

/// The in-memory copy.
#[derive(Clone, Default)]
enum Held {
    #[default]
    Unread,
    Nothing,
    /// There is a sign-in, but not for this server as it is now. It stays in the store and is never sent.
    Quarantined,
    Grant(Arc<HeldGrant>),
}

impl Held {
    fn grant(self) -> Option<Arc<HeldGrant>> {
        match self {
            Self::Grant(grant) => Some(grant),
            Self::Unread | Self::Nothing | Self::Quarantined => None,
        }
    }
}

impl Credentials {
    pub fn new(around: Surroundings) -> Self {
        Self(Arc::new(Inner { around, state: Mutex::default() }))
    }

    /// Before a new connection: the client may be another one, and the store may have another grant. What is not
    /// saved yet stays.
    pub fn begin_anew(&self, configured: ConfiguredClient) {
        let mut state = self.0.lock();
        state.configured = configured;
        state.pause = None;
        if state.unsaved.is_none() && state.flight.is_none() {
            state.held = Held::Unread;
        }
    }

    /// The token for a request, renewed ahead of its end; `None` where nobody is signed in. A token known to be
    /// expired is never given out.
    pub async fn token(&self) -> Result<Option<Token>, CredentialFault> {
        let Some(grant) = self.grant().await? else { return Ok(None) };
        match grant.freshness(self.0.around.clock.now()) {
            Freshness::Fresh => Ok(Some(bearer(&grant))),
            Freshness::Due => match self.renewed(&grant).await {
                Err(fault) if fault.is_transient() => Ok(Some(bearer(&grant))),
                outcome => outcome,
            },
            Freshness::Ended if grant.refresh_token.is_some() => self.renewed(&grant).await,
            Freshness::Ended => Err(CredentialFault::Expired),
        }
    }

    /// A token other than the refused one; `None` where there is no way to one.
    pub async fn renew(&self, refused: &Token) -> Result<Option<Token>, CredentialFault> {
        let Some(grant) = self.grant().await? else { return Ok(None) };
        if grant.access_token.expose() != refused.expose_secret() {
            return self.token().await;
        }
        if grant.refresh_token.is_none() {
            return Ok(None);
        }
        self.renewed(&grant).await
    }

    /// What is held now, without asking anybody, and only while it is good.
    pub fn token_at_hand(&self) -> Option<Token> {
        let grant = self.held()?;
        match grant.freshness(self.0.around.clock.now()) {
            Freshness::Fresh | Freshness::Due => Some(bearer(&grant)),
            Freshness::Ended => None,
        }
    }

    /// The sign-in that is held, for the view.
    pub fn held(&self) -> Option<Arc<HeldGrant>> {
        self.0.lock().held.clone().grant()
    }

    pub fn is_quarantined(&self) -> bool {
        matches!(self.0.lock().held, Held::Quarantined)
    }

    /// Keeps a new sign-in: first in the store, then in memory. Where the store fails it waits for the next try.
    ///
    /// `still_wanted` is asked at the last moment: a sign-in that was given up meanwhile is handed back.
    pub async fn put(
        &self,
        grant: Grant,
        still_wanted: impl Fn() -> bool,
    ) -> Result<Option<Grant>, CredentialFault> {
        let _guard = self.0.around.guard.lock().await;
        if !still_wanted() {
            return Ok(Some(grant));
        }
        self.0.lock().unsaved = Some(grant);
        self.0.save().await?;
        Ok(None)
    }

    /// Forgets the sign-in, in the store first, and gives back what was held.
    pub async fn remove(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        let _guard = self.0.around.guard.lock().await;
        let held = match self.held() {
            Some(held) => Some(held),
            None => self.0.read().await.ok().and_then(Held::grant),
        };
        let outcome = self.0.around.stores.get().delete_grant(&self.0.around.server.0).await;
        self.0.around.stores.note(outcome.as_ref().err());
        outcome?;
        {
            let mut state = self.0.lock();
            state.unsaved = None;
            state.held = Held::Nothing;
        }
        (self.0.around.changed)();
        Ok(held)
    }

    /// The secret of the client that a grant belongs to.
    pub async fn client_secret(&self, grant: &Grant) -> Result<Option<SecretString>, CredentialFault> {
        self.0.client_secret(grant).await
    }

    async fn grant(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        if self.0.lock().unsaved.is_some() {
            let _guard = self.0.around.guard.lock().await;
            self.0.save().await?;
        }
        if matches!(self.0.lock().held, Held::Unread) {
            let found = self.0.read().await?;
            let mut state = self.0.lock();
            // A sign-in may have come or gone while the store was read: it is the newer one.
            if matches!(state.held, Held::Unread) {
                state.held = found;
            }
            drop(state);
            (self.0.around.changed)();
        }
        Ok(self.held())
    }

    /// Joins the renewal that runs, or starts one. It goes on when the caller goes away.
    async fn renewed(&self, grant: &Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let flight = {
            let mut state = self.0.lock();
            // Held is changed before the flight is over: who comes late finds the newer one here.
            match &state.held {
                Held::Grant(newer) if !same_tokens(newer, grant) => return Ok(Some(bearer(newer))),
                Held::Grant(_) | Held::Unread => {}
                Held::Nothing | Held::Quarantined => return Ok(None),
            }
            if let Some((until, fault)) = &state.pause
                && self.0.around.clock.now() < *until
            {
                return Err(fault.clone());
            }
            state
                .flight
                .get_or_insert_with(|| {
                    let (inner, grant) = (Arc::clone(&self.0), Arc::clone(grant));
                    let task = self.0.around.tasks.spawn(async move { inner.fly(grant).await });
                    task.map(|outcome| outcome.unwrap_or(Err(CredentialFault::Interrupted))).boxed().shared()
                })
                .clone()
        };
        flight.await
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hold(&self, held: Held) {
        self.lock().held = held;
        (self.around.changed)();
    }

    /// One renewal from beginning to end; clears the way for the next one.
    async fn fly(&self, grant: Arc<HeldGrant>) -> Result<Option<Token>, CredentialFault> {
        let guard = self.around.guard.lock().await;
        let outcome = self.refresh(&grant).await;
        drop(guard);
        let mut state = self.lock();
        state.flight = None;
        state.pause = match &outcome {
            Err(fault @ CredentialFault::Refresh(error)) => {
                let wait = error.retry_after().unwrap_or(RETRY_PAUSE).min(LONGEST_PAUSE);
                Some((crate::clock::later(self.around.clock.now(), wait), fault.clone()))
            }
            _ => None,
        };
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
            let secret = self.client_secret(&base).await?;
            let error =
                match usher_oauth::refresh(&self.around.http, &base, secret.as_ref(), now()).boxed().await {
                    Ok(renewed) => {
                        let token = bearer(&renewed);
                        // The rotated token is the only one left: it is written before anything is done with it.
                        self.lock().unsaved = Some(renewed);
                        self.save().await?;
                        return Ok(Some(token));
                    }
                    Err(error) => error,
                };
            if error.is_registration_lost() {
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
                    tracing::info!(server = %self.around.server, "the authorization server ended the sign-in");
                    self.hold(Held::Nothing);
                    return Err(CredentialFault::Over);
                }
            }
        }
    }

    /// Writes what waits to be written, then holds it. Under the guard.
    async fn save(&self) -> Result<(), CredentialFault> {
        let Some(grant) = self.lock().unsaved.clone() else { return Ok(()) };
        let outcome = self.around.stores.get().put_grant(&self.around.server.0, &to_stored(&grant)).await;
        self.around.stores.note(outcome.as_ref().err());
        outcome?;
        {
            let mut state = self.lock();
            state.unsaved = None;
            state.held = Held::Grant(Arc::new(HeldGrant::new(grant, self.around.clock.now())));
            state.pause = None;
        }
        (self.around.changed)();
        Ok(())
    }

    /// What the store has, held against what this server is now.
    async fn read(&self) -> Result<Held, CredentialFault> {
        let outcome = self.around.stores.get().grant(&self.around.server.0).await;
        self.around.stores.note(outcome.as_ref().err());
        let Some(stored) = outcome? else { return Ok(Held::Nothing) };
        let discovered: Option<Discovered> = self.around.kept.discovered(&self.around.url);
        Ok(match from_stored(stored) {
            Some(grant) if belongs(&grant, &self.around.url, discovered.as_ref()) => {
                Held::Grant(Arc::new(HeldGrant::new(grant, self.around.clock.now())))
            }
            Some(_) | None => {
                tracing::warn!(server = %self.around.server, "the kept sign-in belongs to another server; it is not used");
                Held::Quarantined
            }
        })
    }

    async fn client_secret(&self, grant: &Grant) -> Result<Option<SecretString>, CredentialFault> {
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

/// How long a failed renewal is not repeated, where the server does not say.
const RETRY_PAUSE: std::time::Duration = std::time::Duration::from_secs(2);
const LONGEST_PAUSE: std::time::Duration = std::time::Duration::from_secs(300);

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("server", &self.0.around.server).finish_non_exhaustive()
    }
}
