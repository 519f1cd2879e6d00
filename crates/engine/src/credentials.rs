//! One server's sign-in: kept in the secret store, held in memory, renewed by one task at a time.

mod fault;
pub(crate) mod freshness;
pub(crate) mod grant;
pub(crate) mod intent;
mod keeping;
mod pause;
mod refresh;
mod state;
pub(crate) mod stores;

use std::fmt;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use usher_oauth::{Grant, HttpClient, ServerUrl};

use crate::ServerId;
use crate::clock::Clock;
use crate::credentials::freshness::{Freshness, HeldGrant};
use crate::credentials::grant::{bearer, same_tokens};
use crate::credentials::state::{Held, State};
use crate::credentials::stores::Stores;
use crate::kept::Kept;

pub(crate) use fault::CredentialFault;

type Token = SecretString;

/// What the credentials of one server need from around them.
pub(crate) struct Surroundings {
    pub server: ServerId,
    pub url: ServerUrl,
    pub stores: Stores,
    pub kept: Kept,
    pub clock: Clock,
    /// Held over everything that changes the kept sign-in, across every owner that a server may have had in this
    /// run: two renewals with one refresh token would end the whole grant.
    pub guard: Arc<tokio::sync::Mutex<()>>,
    /// Renewals run here and outlive whoever asked for them.
    pub tasks: TaskTracker,
    /// The engine ends: no renewal is begun that may be cut off.
    pub stopping: CancellationToken,
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

impl Credentials {
    pub fn new(around: Surroundings, http: HttpClient) -> Self {
        Self(Arc::new(Inner { around, state: Mutex::new(State::new(http)) }))
    }

    /// Before a new connection: the client may be another one, the network too, and the store may have another grant.
    /// What is not saved yet stays.
    pub fn begin_anew(&self, configured: ConfiguredClient, http: HttpClient) {
        let mut state = self.0.lock();
        state.configured = configured;
        state.http = http;
        state.pause.end();
        state.ended = None;
        if state.unsaved.is_none() && state.flight.is_none() {
            state.held = Held::Unread;
        }
    }

    /// The token for a request, renewed ahead of its end; `None` where nobody is signed in. A token known to be
    /// expired is never given out.
    pub async fn token(&self) -> Result<Option<Token>, CredentialFault> {
        let Some(grant) = self.grant().await? else { return Ok(None) };
        match self.freshness(&grant) {
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

    /// When something is to be done without anybody asking: a renewal ahead of the end, one that was left open, a
    /// sign-in to be saved. `None` where there is nothing.
    pub fn due(&self) -> Option<Timestamp> {
        self.0.lock().due(self.0.around.clock.now())
    }

    /// Does what is due.
    pub async fn keep_up(&self) -> Result<(), CredentialFault> {
        let grant = match self.grant().await {
            Ok(grant) => grant,
            Err(fault) => {
                self.0.lock().pause.after(&fault, self.0.around.clock.now());
                return Err(fault);
            }
        };
        let Some(grant) = grant.filter(|_| self.due().is_some_and(|due| due <= self.0.around.clock.now()))
        else {
            return Ok(());
        };
        let outcome = match grant.refresh_token {
            Some(_) => self.renewed(&grant).await.map(drop),
            None => Err(CredentialFault::Expired),
        };
        if let Err(fault @ CredentialFault::Expired) = &outcome {
            self.0.lock().ended = Some(fault.clone());
        }
        outcome
    }

    /// Why this sign-in is over, as long as no other has come.
    pub fn ended(&self) -> Option<CredentialFault> {
        self.0.lock().ended.clone()
    }

    /// The computer woke, or the network came back: what failed may be tried at once.
    pub fn hurry(&self) {
        self.0.lock().pause.cut_short();
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
        self.0.lock().held.grant()
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
        self.0.lock().pause.end();
        Ok(None)
    }

    /// A last try for what the store did not take yet.
    pub async fn save_what_is_left(&self) {
        if self.0.lock().unsaved.is_none() {
            return;
        }
        let _guard = self.0.around.guard.lock().await;
        if let Err(fault) = self.0.save().await {
            tracing::warn!(server = %self.0.around.server, %fault, "a renewed sign-in could not be kept");
        }
    }

    /// Forgets the sign-in, in the store first, and gives back what was held.
    pub async fn remove(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        let _guard = self.0.around.guard.lock().await;
        self.0.forget().await
    }

    /// The secret of the client that a grant belongs to.
    pub async fn client_secret(&self, grant: &Grant) -> Result<Option<SecretString>, CredentialFault> {
        self.0.client_secret(grant).await
    }

    async fn grant(&self) -> Result<Option<Arc<HeldGrant>>, CredentialFault> {
        if self.0.lock().unsaved.is_some() {
            let _guard = self.0.around.guard.lock().await;
            // Whoever waited here for a renewal finds that it saved by itself, and what it has to say of the next one holds.
            if self.0.save().await? {
                self.0.lock().pause.end();
            }
        }
        if matches!(self.0.lock().held, Held::Unread) {
            self.0.read_first().await?;
        }
        Ok(self.held())
    }

    fn freshness(&self, grant: &HeldGrant) -> Freshness {
        match grant.freshness(self.0.around.clock.now()) {
            // A renewal that was left open is taken up first: some services take the old token for a few seconds more.
            Freshness::Fresh if self.0.lock().is_open(grant) => Freshness::Due,
            freshness => freshness,
        }
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
            match &state.flight {
                Some(flight) => flight.clone(),
                None => {
                    if let Some(fault) = state.pause.fault(self.0.around.clock.now()) {
                        return Err(fault.clone());
                    }
                    if self.0.around.stopping.is_cancelled() {
                        return Err(CredentialFault::Interrupted);
                    }
                    let (inner, grant) = (Arc::clone(&self.0), Arc::clone(grant));
                    let task = self.0.around.tasks.spawn(async move { inner.fly(grant).await });
                    let inner = Arc::downgrade(&self.0);
                    let flight = task.map(move |outcome| {
                        outcome.unwrap_or_else(|_| {
                            if let Some(inner) = inner.upgrade() {
                                inner.lock().flight = None;
                            }
                            Err(CredentialFault::Interrupted)
                        })
                    });
                    state.flight.insert(flight.boxed().shared()).clone()
                }
            }
        };
        flight.await
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("server", &self.0.around.server).finish_non_exhaustive()
    }
}
