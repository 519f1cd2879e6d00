//! A grant in memory, and how close its access token is to expiry.

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use usher_oauth::Grant;

use super::gate::AdmittedGrant;

/// The longest time before expiry at which a request refreshes the token.
const LARGEST_MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// Lifetimes below this one are short. No known service issues tokens for less than a minute.
const SHORT_LIFETIME: SignedDuration = SignedDuration::from_secs(10);

/// A grant, with the times at which its access token is refreshed.
#[derive(Clone, Debug)]
pub(crate) struct HeldGrant {
    grant: AdmittedGrant,
    /// The time from which a request refreshes the token before using it: 30 seconds before expiry, or a tenth of the
    /// known lifetime if that is less.
    refresh_at: Option<Timestamp>,
    /// The time at which the token is refreshed without a request. It is earlier than `refresh_at` by a random part of
    /// the margin, at most half, so that not all servers refresh at once. If nothing can replace it, it is the expiry.
    due: Option<Timestamp>,
    is_short_lived: bool,
}

/// How close an access token is to its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// The token is still valid, but is refreshed before it is used.
    Due,
    /// The token is never sent, because some servers revoke the grant when they receive an expired token.
    Expired,
}

impl HeldGrant {
    /// Calculates the times. `is_renewable` is whether a refresh, or a new grant without a person, can replace the grant.
    /// `now` is when the grant was issued or read; the time from then to expiry counts as its
    /// lifetime.
    pub fn new(grant: AdmittedGrant, is_renewable: bool, now: Timestamp) -> Self {
        let margin =
            |end: Timestamp| (end.duration_since(now) / 10).clamp(SignedDuration::ZERO, LARGEST_MARGIN);
        let ahead = |end: Timestamp, by: SignedDuration| end.saturating_sub(by).unwrap_or(end);
        let jitter = 1.0 + rand::random::<f64>() / 2.0;
        let refresh_at = grant.expires_at.map(|end| ahead(end, margin(end)));
        let due = match is_renewable {
            true => grant.expires_at.map(|end| ahead(end, margin(end).mul_f64(jitter))),
            // The person is notified at expiry.
            false => grant.expires_at,
        };
        let is_short = |end: Timestamp| end.duration_since(now) < SHORT_LIFETIME;
        let is_short_lived = grant.expires_at.is_some_and(is_short);
        Self { grant, refresh_at, due, is_short_lived }
    }

    /// Returns the time at which the grant is refreshed even if no request needs its token. Without a refresh token,
    /// returns the expiry.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    pub fn is_short_lived(&self) -> bool {
        self.is_short_lived
    }

    /// Returns the freshness at `now`. A token without an expiry is fresh until the server rejects it.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        match (self.grant.expires_at, self.refresh_at) {
            (Some(end), _) if now >= end => Freshness::Expired,
            (_, Some(refresh_at)) if now >= refresh_at => Freshness::Due,
            (Some(_) | None, Some(_) | None) => Freshness::Fresh,
        }
    }
}

impl Deref for HeldGrant {
    type Target = Grant;

    fn deref(&self) -> &Grant {
        &self.grant
    }
}

impl HeldGrant {
    /// Returns the result of refreshing this grant.
    pub fn refreshed(&self, grant: Grant) -> AdmittedGrant {
        self.grant.refreshed(grant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_oauth::{AccessToken, AuthMethod, Endpoint, GrantBinding, Issuer, RefreshToken, Scopes};

    #[test]
    fn idle_grants_are_refreshed_a_little_earlier_and_not_all_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        let refreshable = Grant { refresh_token: Some(RefreshToken::new("r")), ..grant(Some(3600), now) };
        let moments: Vec<i64> = (0..50)
            .map(|_| held(refreshable.clone(), now).due().expect("a due time").as_millisecond())
            .collect();
        assert!(moments.iter().all(|moment| (3_555_000..=3_570_000).contains(moment)), "{moments:?}");
        assert!(moments.iter().any(|moment| *moment != moments[0]));
        let not_refreshable = held(grant(Some(3600), now), now);
        assert_eq!(not_refreshable.due(), Some(now + SignedDuration::from_secs(3600)));
        assert_eq!(held(grant(None, now), now).due(), None);
    }

    fn held(grant: Grant, now: Timestamp) -> HeldGrant {
        let is_renewable = grant.refresh_token.is_some();
        HeldGrant::new(AdmittedGrant::for_test(grant), is_renewable, now)
    }

    fn grant(lifetime: Option<i64>, now: Timestamp) -> Grant {
        Grant {
            access_token: AccessToken::new("t".to_owned()),
            refresh_token: None,
            expires_at: lifetime.map(|seconds| now + SignedDuration::from_secs(seconds)),
            scopes: Scopes::default(),
            account: None,
            binding: GrantBinding {
                issuer: Issuer::parse("https://as.example").expect("parse the issuer"),
                token_endpoint: Endpoint::parse("t", "https://as.example/token").expect("parse the endpoint"),
                revocation_endpoint: None,
                client_id: "c".to_owned(),
                auth_method: AuthMethod::None,
                resource: "https://mcp.example".to_owned(),
                sends_resource: true,
                sends_scope: false,
                has_configured_endpoints: false,
                sends_proof: false,
            },
            dpop: None,
        }
    }

    #[test]
    fn the_margin_is_a_tenth_of_the_lifetime_and_at_most_thirty_seconds() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |milliseconds: i64| now + SignedDuration::from_millis(milliseconds);
        let cases = [
            (Some(3600), 3_569_999, Freshness::Fresh),
            (Some(3600), 3_570_000, Freshness::Due),
            (Some(3600), 3_600_000, Freshness::Expired),
            (Some(5), 4_499, Freshness::Fresh),
            (Some(5), 4_500, Freshness::Due),
            (Some(5), 5_000, Freshness::Expired),
            (Some(0), 0, Freshness::Expired),
            (None, i64::from(u32::MAX), Freshness::Fresh),
        ];
        for (lifetime, moment, expected) in cases {
            let grant = held(grant(lifetime, now), now);
            assert_eq!(grant.freshness(at(moment)), expected, "lifetime {lifetime:?}, at {moment} ms");
        }
    }
}
