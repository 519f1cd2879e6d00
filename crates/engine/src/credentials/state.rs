//! What is known of a sign-in between two requests.

use std::sync::Arc;

use futures::future::{BoxFuture, Shared as SharedFuture};
use jiff::Timestamp;
use usher_oauth::{Grant, HttpClient, RefreshToken};

use super::{ConfiguredClient, Token};
use crate::credentials::CredentialFault;
use crate::credentials::freshness::HeldGrant;
use crate::credentials::pause::Pause;

pub(super) type Flight = SharedFuture<BoxFuture<'static, Result<Option<Token>, CredentialFault>>>;

pub(super) struct State {
    /// Made anew where the server is reached by another network now.
    pub http: HttpClient,
    pub configured: ConfiguredClient,
    pub held: Held,
    /// Came from the authorization server, but the secret store did not take it yet. It is not used before.
    pub unsaved: Option<Grant>,
    /// The renewal that runs.
    pub flight: Option<Flight>,
    /// After failed renewals.
    pub pause: Pause,
    /// This token was sent, and what became of it is not known: by this run, or by the one before.
    pub open: Option<RefreshToken>,
    /// Why the sign-in is over.
    pub ended: Option<CredentialFault>,
}

/// The in-memory copy.
pub(super) enum Held {
    Unread,
    Nothing,
    /// There is a sign-in, but not for this server as it is now. It stays in the store and is never sent.
    Quarantined,
    Grant(Arc<HeldGrant>),
}

impl Held {
    pub fn grant(&self) -> Option<Arc<HeldGrant>> {
        match self {
            Self::Grant(grant) => Some(Arc::clone(grant)),
            Self::Unread | Self::Nothing | Self::Quarantined => None,
        }
    }
}

impl State {
    pub fn new(http: HttpClient) -> Self {
        Self {
            http,
            configured: None,
            held: Held::Unread,
            unsaved: None,
            flight: None,
            pause: Pause::default(),
            open: None,
            ended: None,
        }
    }

    /// Whether a renewal with this grant's refresh token was begun, and its end is not known.
    pub fn is_open(&self, grant: &Grant) -> bool {
        let token = |token: &Option<RefreshToken>| token.as_ref().map(|token| token.expose().to_owned());
        self.open.is_some() && token(&self.open) == token(&grant.refresh_token)
    }

    /// When something is to be done without anybody asking.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let due = match (&self.unsaved, &self.held) {
            (Some(_), _) => now,
            (None, Held::Grant(grant)) if self.is_open(grant) => now,
            (None, Held::Grant(grant)) => grant.due()?,
            (None, Held::Unread | Held::Nothing | Held::Quarantined) => return None,
        };
        Some(self.pause.until(now).map_or(due, |until| due.max(until)))
    }
}
