//! The time between two polls of the token endpoint (RFC 8628 §3.5).

use std::time::Duration;

use usher_budgets as budgets;

use crate::{Error, ErrorKind};

/// The interval if the server names none.
const DEFAULT: Duration = Duration::from_secs(5);
/// Added to each wait, because servers that measure the interval themselves punish an early poll.
const MARGIN: Duration = Duration::from_secs(1);
/// The amount by which each `slow_down` lengthens the interval.
const SLOW_DOWN: Duration = Duration::from_secs(5);

/// The pace of the polls for one device code. The interval never gets shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PollPace {
    interval: Duration,
    /// Whether the server has reported a pending authorization with the standard error.
    reports_pending: bool,
}

impl PollPace {
    /// `interval` is the number of seconds that the server asks for.
    pub(crate) fn new(interval: Option<u64>) -> Self {
        let interval = interval.map_or(DEFAULT, Duration::from_secs);
        PollPace { interval: interval.min(budgets::LONGEST_POLL_INTERVAL), reports_pending: false }
    }

    pub(crate) fn interval(self) -> Duration {
        self.interval
    }

    /// The time from a response to the next poll.
    pub(crate) fn wait(self) -> Duration {
        self.interval + MARGIN
    }

    /// Adapts the pace to a poll that returned no grant. Returns whether to poll again.
    pub(crate) fn continues_after(&mut self, error: &Error) -> bool {
        match &error.kind {
            ErrorKind::TokenError { error, .. } if error == "authorization_pending" => {
                self.reports_pending = true;
                true
            }
            // WSO2 reports a pending authorization like this, and never in the standard way.
            ErrorKind::InvalidGrant { .. } => !self.reports_pending,
            ErrorKind::SlowDown { interval } => {
                let returned = interval.map(Duration::from_secs).unwrap_or_default();
                self.lengthen((self.interval + SLOW_DOWN).max(returned));
                true
            }
            _ if error.is_transient() => {
                self.lengthen((self.interval * 2).max(error.retry_after().unwrap_or_default()));
                true
            }
            _ => false,
        }
    }

    fn lengthen(&mut self, interval: Duration) {
        self.interval = interval.min(budgets::LONGEST_POLL_INTERVAL).max(self.interval);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Step;

    fn error(kind: ErrorKind) -> Error {
        Error::new(Step::TokenExchange, None, kind)
    }

    fn token_error(error: &str) -> ErrorKind {
        ErrorKind::TokenError { error: error.to_owned(), description: None }
    }

    #[test]
    fn the_interval_only_grows() {
        let transient = |seconds: Option<u64>| ErrorKind::Transient {
            status: 503,
            retry_after: seconds.map(Duration::from_secs),
        };
        let mut pace = PollPace::new(None);
        assert_eq!(pace.wait(), Duration::from_secs(6));
        for (kind, seconds) in [
            (token_error("authorization_pending"), 5),
            (ErrorKind::SlowDown { interval: None }, 10),
            // GitHub returns the new interval, others a shorter one.
            (ErrorKind::SlowDown { interval: Some(16) }, 16),
            (ErrorKind::SlowDown { interval: Some(1) }, 21),
            (ErrorKind::Timeout, 42),
            (token_error("authorization_pending"), 42),
            (transient(Some(50)), 60),
            (transient(Some(1)), 60),
            (ErrorKind::SlowDown { interval: Some(3600) }, 60),
        ] {
            assert!(pace.continues_after(&error(kind.clone())), "{kind}");
            assert_eq!(pace.interval(), Duration::from_secs(seconds), "{kind}");
        }
        assert_eq!(PollPace::new(Some(3600)).interval(), Duration::from_secs(60));
    }

    #[test]
    fn other_errors_end_the_polls() {
        let ends = [
            ErrorKind::Denied,
            ErrorKind::Expired,
            ErrorKind::InvalidClient { description: None },
            token_error("bad_verification_code"),
            ErrorKind::Status(400),
        ];
        for kind in ends {
            assert!(!PollPace::new(None).continues_after(&error(kind.clone())), "{kind}");
        }
        let unknown = error(ErrorKind::InvalidGrant { description: None });
        let mut pace = PollPace::new(None);
        assert!(pace.continues_after(&unknown), "WSO2 means that the authorization is pending");
        pace.continues_after(&error(token_error("authorization_pending")));
        assert!(!pace.continues_after(&unknown));
    }
}
