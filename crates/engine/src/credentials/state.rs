//! The mutable state of one server's credentials.

use std::sync::Arc;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use usher_oauth::{Grant, HttpClient, RefreshToken};

use super::PreRegistered;
use super::fault::CredentialFault;
use super::gate::AdmittedGrant;
use super::held_grant::HeldGrant;
use super::refresh_backoff::RefreshBackoff;
use super::refresh_pace::RefreshPace;
use super::shared_refresh::SharedRefresh;
use super::unattended::UnattendedSettings;

pub(super) struct State {
    /// Replaced when the server's network zone changes.
    pub http: HttpClient,
    pub pre_registered: PreRegistered,
    /// The settings of an entry whose grants need no person. A new grant then replaces a refresh.
    pub unattended: Option<UnattendedSettings>,
    /// Cancelled when the values of the entry may no longer be sent.
    pub values_withdrawn: CancellationToken,
    pub held: Held,
    /// A grant that is not in the secret store yet. It is not used before it is stored.
    pub unsaved: Option<AdmittedGrant>,
    /// The running refresh.
    pub refresh: Option<SharedRefresh>,
    /// The backoff after failed refreshes.
    pub backoff: RefreshBackoff,
    /// The pace of refreshes for short-lived tokens.
    pub pace: RefreshPace,
    /// The refresh token that this or the previous run sent without storing a response.
    pub interrupted: Option<RefreshToken>,
    /// The reason why the grant ended.
    pub ended: Option<CredentialFault>,
}

/// The stored grant, if it was read.
pub(super) enum Held {
    Unread,
    Nothing,
    /// The stored grant does not fit the server's entry. It stays in the store and is never sent.
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
            pre_registered: None,
            unattended: None,
            values_withdrawn: CancellationToken::new(),
            held: Held::Unread,
            unsaved: None,
            refresh: None,
            backoff: RefreshBackoff::default(),
            pace: RefreshPace::default(),
            interrupted: None,
            ended: None,
        }
    }

    pub fn held_grant(&self, grant: AdmittedGrant, now: Timestamp) -> HeldGrant {
        let is_renewable = self.is_renewable(&grant);
        HeldGrant::new(grant, is_renewable, now)
    }

    /// Returns whether a refresh, or a new grant without a person, can replace this grant.
    pub fn is_renewable(&self, grant: &Grant) -> bool {
        grant.refresh_token.is_some() || self.unattended.is_some()
    }

    /// Returns whether this grant's refresh token was sent and the outcome is unknown.
    pub fn is_interrupted(&self, grant: &Grant) -> bool {
        let token = |token: &Option<RefreshToken>| token.as_ref().map(|token| token.expose().to_owned());
        self.interrupted.is_some() && token(&self.interrupted) == token(&grant.refresh_token)
    }

    /// Returns the time at which maintenance is due.
    pub fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let due = match (&self.unsaved, &self.held) {
            (Some(_), _) => now,
            (None, Held::Grant(grant)) if self.is_interrupted(grant) => now,
            (None, Held::Grant(grant)) => {
                let due = grant.due()?;
                let idle_from = self.pace.idle_from(now).filter(|_| self.is_renewable(grant));
                idle_from.map_or(due, |from| due.max(from))
            }
            (None, Held::Unread | Held::Nothing | Held::Quarantined) => return None,
        };
        Some(self.backoff.ends_at(now).map_or(due, |until| due.max(until)))
    }
}
