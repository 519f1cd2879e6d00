//! A grant in memory, and how near its access token is to its end.

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};
use usher_oauth::Grant;

/// The most that a token is renewed ahead of its end.
const LARGEST_MARGIN: SignedDuration = SignedDuration::from_secs(30);

/// A grant with the moment from which its token is renewed before use.
#[derive(Clone, Debug)]
pub(crate) struct HeldGrant {
    grant: Grant,
    /// Ahead of the end by 30 seconds or a tenth of the life that is known, whichever is less.
    renew_at: Option<Timestamp>,
    /// Ahead of that by up to half as much, so that the servers of one start do not all come at once.
    due: Option<Timestamp>,
}

/// What may be done with an access token now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    Fresh,
    /// Still good, but to be renewed before it is used.
    Due,
    /// Never sent any more: some servers end the whole grant when a token comes after its end.
    Ended,
}

impl HeldGrant {
    /// `now` is when the grant was issued, or read: what is left of its life counts as its life.
    pub fn new(grant: Grant, now: Timestamp) -> Self {
        let margin =
            |end: Timestamp| (end.duration_since(now) / 10).clamp(SignedDuration::ZERO, LARGEST_MARGIN);
        let ahead = |end: Timestamp, by: SignedDuration| end.saturating_sub(by).unwrap_or(end);
        let jitter = 1.0 + rand::random::<f64>() / 2.0;
        let renew_at = grant.expires_at.map(|end| ahead(end, margin(end)));
        let due = match &grant.refresh_token {
            Some(_) => grant.expires_at.map(|end| ahead(end, margin(end).mul_f64(jitter))),
            // Nothing can be renewed, and the person is told when it is over.
            None => grant.expires_at,
        };
        Self { grant, renew_at, due }
    }

    /// When this grant is to be renewed though nobody asks for its token.
    pub fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// A token without an end is fresh until it is refused.
    pub fn freshness(&self, now: Timestamp) -> Freshness {
        match (self.grant.expires_at, self.renew_at) {
            (Some(end), _) if now >= end => Freshness::Ended,
            (_, Some(renew_at)) if now >= renew_at => Freshness::Due,
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

#[cfg(test)]
mod tests {
    use super::*;
    use usher_oauth::{AccessToken, AuthMethod, Binding, Endpoint, Issuer, RefreshToken, Scopes};

    #[test]
    fn what_nobody_asks_for_is_renewed_a_little_earlier_and_not_all_at_once() {
        let now = Timestamp::UNIX_EPOCH;
        let refreshable = Grant { refresh_token: Some(RefreshToken::new("r")), ..grant(Some(3600), now) };
        let moments: Vec<i64> = (0..50)
            .map(|_| HeldGrant::new(refreshable.clone(), now).due().expect("a moment").as_millisecond())
            .collect();
        assert!(moments.iter().all(|moment| (3_555_000..=3_570_000).contains(moment)), "{moments:?}");
        assert!(moments.iter().any(|moment| *moment != moments[0]));
        let lone = HeldGrant::new(grant(Some(3600), now), now);
        assert_eq!(lone.due(), Some(now + SignedDuration::from_secs(3600)));
        assert_eq!(HeldGrant::new(grant(None, now), now).due(), None);
    }

    fn grant(life: Option<i64>, now: Timestamp) -> Grant {
        Grant {
            access_token: AccessToken::new("t".to_owned()),
            refresh_token: None,
            expires_at: life.map(|life| now + SignedDuration::from_secs(life)),
            scopes: Scopes::default(),
            account: None,
            binding: Binding {
                issuer: Issuer::parse("https://as.example").expect("an issuer"),
                token_endpoint: Endpoint::parse("t", "https://as.example/token").expect("an endpoint"),
                revocation_endpoint: None,
                client_id: "c".to_owned(),
                auth_method: AuthMethod::None,
                resource: "https://mcp.example".to_owned(),
                sends_resource: true,
            },
        }
    }

    #[test]
    fn the_margin_is_a_tenth_of_the_life_and_at_most_thirty_seconds() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds_ms: i64| now + SignedDuration::from_millis(seconds_ms);
        let cases = [
            (Some(3600), 3_569_999, Freshness::Fresh),
            (Some(3600), 3_570_000, Freshness::Due),
            (Some(3600), 3_600_000, Freshness::Ended),
            (Some(5), 4_499, Freshness::Fresh),
            (Some(5), 4_500, Freshness::Due),
            (Some(5), 5_000, Freshness::Ended),
            (Some(0), 0, Freshness::Ended),
            (None, i64::from(u32::MAX), Freshness::Fresh),
        ];
        for (life, moment, expected) in cases {
            let held = HeldGrant::new(grant(life, now), now);
            assert_eq!(held.freshness(at(moment)), expected, "life {life:?} at {moment} ms");
        }
    }
}
