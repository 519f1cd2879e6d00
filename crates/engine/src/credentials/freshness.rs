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
        let renew_at = grant.expires_at.map(|end| {
            let margin = (end.duration_since(now) / 10).clamp(SignedDuration::ZERO, LARGEST_MARGIN);
            end.saturating_sub(margin).unwrap_or(end)
        });
        Self { grant, renew_at }
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
    use usher_oauth::{AccessToken, AuthMethod, Binding, Endpoint, Issuer, Scopes};

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
