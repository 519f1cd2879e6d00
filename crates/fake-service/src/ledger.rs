//! Every token family: the valid tokens, the refreshes, and their outcomes.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::Options;
use crate::lock::lock;

/// The tokens of one authorization.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FamilyId(pub u32);

/// One use of a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The number of the refresh token in its family, from 0.
    pub presented: u32,
    /// The time since the token was rotated; `None` if it was not.
    pub rotated_before: Option<Duration>,
    /// The start of the connection, which distinguishes the requests of successive clients.
    pub connected: Instant,
    pub outcome: Outcome,
}

/// The outcome of a refresh at the server. The client may not have received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The current token was replaced by the token with this number.
    Rotated { to: u32 },
    /// A rotated token was accepted again, within the grace period, and the token with this number was issued.
    Reissued { to: u32 },
    /// `invalid_grant`.
    Rejected(Rejection),
    /// A planned fault prevented the refresh.
    NotCarriedOut,
}

/// The reason why a refresh token was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The token was used before, so its family is now revoked.
    Reused,
    /// The family was already revoked.
    Revoked,
}

/// The requests with tokens of a family since the last [`Ledger::take_activity`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    pub refreshes: Vec<Refresh>,
    /// Complete `invalid_grant` responses that were not planned faults.
    pub rejections_sent: u32,
    /// MCP requests with an access token that was no longer valid.
    pub stale_requests: u32,
    /// MCP requests with a valid access token.
    pub served_requests: u32,
}

/// The state of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FamilyState {
    /// The number of the newest refresh token.
    pub current: u32,
    pub is_revoked: bool,
}

/// The first tokens of a new family.
#[derive(Clone, Debug)]
pub struct IssuedTokens {
    pub family: FamilyId,
    pub access_token: String,
    pub refresh_token: String,
}

/// The token families of one service.
#[derive(Debug)]
pub struct Ledger {
    options: Options,
    /// Part of every token. It distinguishes the tokens of different services.
    nonce: u64,
    families: Mutex<Vec<Family>>,
}

#[derive(Debug, Default)]
struct Family {
    client_id: String,
    current: u32,
    is_revoked: bool,
    /// The time of the first rotation of each token number.
    rotated: HashMap<u32, Instant>,
    /// Rotated tokens below this number are invalid, because the client has used a newer one.
    oldest_valid: u32,
    /// The issue time of the access token of each number.
    issued: HashMap<u32, Instant>,
    /// Access tokens below this number are no longer valid.
    oldest_access: u32,
    used_access: HashSet<u32>,
    activity: Activity,
}

/// The extra lengths of successive tokens. With them, some grants need one keychain item and others several.
const FILLERS: [usize; 6] = [0, 3000, 1500, 0, 1500, 3000];

/// The validity of an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Valid { family: FamilyId, is_first_use: bool },
    Invalid,
}

impl Ledger {
    pub(crate) fn new(options: Options) -> Ledger {
        Ledger { options, nonce: rand::random(), families: Mutex::default() }
    }

    /// Invalidates the access tokens issued so far.
    pub fn expire(&self, family: FamilyId) {
        self.with_family(family, |family| family.oldest_access = family.current + 1);
    }

    /// Revokes a family, as if the person had withdrawn the authorization at the service.
    pub fn revoke(&self, family: FamilyId) {
        self.with_family(family, |family| family.is_revoked = true);
    }

    pub fn state(&self, family: FamilyId) -> Option<FamilyState> {
        self.with_family(family, |family| FamilyState {
            current: family.current,
            is_revoked: family.is_revoked,
        })
    }

    /// Returns the requests with tokens of this family since the last call of this method.
    pub fn take_activity(&self, family: FamilyId) -> Activity {
        self.with_family(family, |family| std::mem::take(&mut family.activity)).unwrap_or_default()
    }

    /// Returns the family of a refresh token, and the token's number. `None` if this service did not issue the token.
    pub fn parse_refresh_token(&self, text: &str) -> Option<(FamilyId, u32)> {
        self.parse("refresh", text)
    }

    pub(crate) fn issue(&self, client_id: &str) -> IssuedTokens {
        let mut families = lock(&self.families);
        let family = FamilyId(u32::try_from(families.len()).unwrap_or(u32::MAX));
        families.push(Family {
            client_id: client_id.to_owned(),
            issued: HashMap::from([(0, Instant::now())]),
            ..Family::default()
        });
        let (access_token, refresh_token) = self.tokens(family, 0);
        IssuedTokens { family, access_token, refresh_token }
    }

    pub(crate) fn belongs_to(&self, family: FamilyId, client_id: &str) -> bool {
        self.with_family(family, |family| family.client_id == client_id).unwrap_or(false)
    }

    pub(crate) fn record_not_carried_out(&self, family: FamilyId, presented: u32, connected: Instant) {
        self.with_family(family, |family| family.note(presented, connected, Outcome::NotCarriedOut));
    }

    pub(crate) fn record_rejection_sent(&self, family: FamilyId) {
        self.with_family(family, |family| family.activity.rejections_sent += 1);
    }

    /// Rotates a refresh token if it is valid, and records the outcome.
    pub(crate) fn rotate(&self, family: FamilyId, presented: u32, connected: Instant) -> Outcome {
        let grace_period = self.options.grace_period;
        let outcome = self.with_family(family, |family| {
            let outcome = family.spend(presented, grace_period);
            family.note(presented, connected, outcome);
            if let Outcome::Rotated { to } | Outcome::Reissued { to } = outcome {
                family.rotated.entry(presented).or_insert_with(Instant::now);
                family.issued.insert(to, Instant::now());
            }
            outcome
        });
        outcome.unwrap_or(Outcome::Rejected(Rejection::Revoked))
    }

    pub(crate) fn use_access_token(&self, text: &str) -> Access {
        let Some((id, number)) = self.parse("access", text) else { return Access::Invalid };
        let lifetime = self.options.access_token_lifetime;
        let access = self.with_family(id, |family| {
            let is_valid = !family.is_revoked
                && number >= family.oldest_access
                && family.issued.get(&number).is_some_and(|issued| issued.elapsed() < lifetime);
            if is_valid {
                family.activity.served_requests += 1;
                Access::Valid { family: id, is_first_use: family.used_access.insert(number) }
            } else {
                family.activity.stale_requests += 1;
                Access::Invalid
            }
        });
        access.unwrap_or(Access::Invalid)
    }

    /// Returns the access token and the refresh token with this number.
    pub(crate) fn tokens(&self, family: FamilyId, number: u32) -> (String, String) {
        let filler = if self.options.has_long_tokens { FILLERS[number as usize % FILLERS.len()] } else { 0 };
        let text =
            |kind: &str| format!("{kind}.{}.{number}.{:016x}.{}", family.0, self.nonce, "x".repeat(filler));
        (text("access"), text("refresh"))
    }

    fn parse(&self, kind: &str, text: &str) -> Option<(FamilyId, u32)> {
        let mut parts = text.strip_prefix(kind)?.strip_prefix('.')?.split('.');
        let (family, number, nonce) = (parts.next()?, parts.next()?, parts.next()?);
        let family = FamilyId(family.parse().ok()?);
        (u64::from_str_radix(nonce, 16).ok()? == self.nonce).then_some((family, number.parse().ok()?))
    }

    fn with_family<T>(&self, family: FamilyId, act: impl FnOnce(&mut Family) -> T) -> Option<T> {
        lock(&self.families).get_mut(family.0 as usize).map(act)
    }
}

impl Family {
    fn spend(&mut self, presented: u32, grace_period: Duration) -> Outcome {
        if self.is_revoked {
            return Outcome::Rejected(Rejection::Revoked);
        }
        let to = self.current + 1;
        if presented == self.current {
            // The client has the newest token, so older tokens become invalid.
            self.oldest_valid = presented;
            self.current = to;
            return Outcome::Rotated { to };
        }
        let is_in_grace =
            self.rotated.get(&presented).is_some_and(|rotated| rotated.elapsed() < grace_period);
        if presented >= self.oldest_valid && is_in_grace {
            self.current = to;
            return Outcome::Reissued { to };
        }
        self.is_revoked = true;
        Outcome::Rejected(Rejection::Reused)
    }

    fn note(&mut self, presented: u32, connected: Instant, outcome: Outcome) {
        let rotated_before = self.rotated.get(&presented).map(Instant::elapsed);
        self.activity.refreshes.push(Refresh { presented, rotated_before, connected, outcome });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(grace: u64) -> Ledger {
        Ledger::new(Options { grace_period: Duration::from_secs(grace), ..Options::default() })
    }

    #[test]
    fn a_second_use_revokes_the_family() {
        let ledger = ledger(0);
        let (family, first) = (ledger.issue("client").family, 0);
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Rotated { to: 1 });
        assert_eq!(ledger.rotate(family, 1, Instant::now()), Outcome::Rotated { to: 2 });
        assert_eq!(ledger.rotate(family, 1, Instant::now()), Outcome::Rejected(Rejection::Reused));
        assert_eq!(ledger.rotate(family, 2, Instant::now()), Outcome::Rejected(Rejection::Revoked));
        assert_eq!(ledger.state(family), Some(FamilyState { current: 2, is_revoked: true }));
    }

    #[test]
    fn within_the_grace_period_a_token_is_accepted_until_its_successor_is_used() {
        let ledger = ledger(600);
        let (family, first) = (ledger.issue("client").family, 0);
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Rotated { to: 1 });
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Reissued { to: 2 });
        assert_eq!(ledger.rotate(family, 2, Instant::now()), Outcome::Rotated { to: 3 });
        assert_eq!(ledger.rotate(family, first, Instant::now()), Outcome::Rejected(Rejection::Reused));
    }

    #[test]
    fn activity_counts_from_the_last_call_of_take_activity() {
        let ledger = ledger(0);
        let IssuedTokens { family, access_token: access, refresh_token } = ledger.issue("client");
        assert_eq!(ledger.parse_refresh_token(&refresh_token), Some((family, 0)));
        assert_eq!(ledger.use_access_token(&access), Access::Valid { family, is_first_use: true });
        assert_eq!(ledger.use_access_token(&access), Access::Valid { family, is_first_use: false });
        ledger.expire(family);
        assert_eq!(ledger.use_access_token(&access), Access::Invalid);
        let connected = Instant::now();
        ledger.record_not_carried_out(family, 0, connected);
        let activity = ledger.take_activity(family);
        assert_eq!((activity.served_requests, activity.stale_requests), (2, 1));
        let missed =
            Refresh { presented: 0, rotated_before: None, connected, outcome: Outcome::NotCarriedOut };
        assert_eq!(activity.refreshes, [missed]);
        assert_eq!(ledger.take_activity(family), Activity::default());
    }

    #[test]
    fn tokens_of_another_service_are_unknown() {
        let (one, other) = (ledger(0), ledger(0));
        let issued = one.issue("client");
        other.issue("client");
        assert_eq!(other.parse_refresh_token(&issued.refresh_token), None);
        assert_eq!(other.use_access_token(&issued.access_token), Access::Invalid);
        assert_eq!(one.parse_refresh_token(&issued.access_token), None);
    }
}
