//! The delay before a retry.

use std::time::Duration;

use usher_budgets as budgets;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Returns the delay before a retry. It doubles with each attempt (the first is 1), up to one minute. It is not shorter
/// than the server's `Retry-After`, of which at most five minutes count. A jitter of 25% prevents all clients from
/// retrying together after an outage.
pub(crate) fn backoff(attempt: u32, retry_after: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1).min(16))).min(LONGEST);
    let jitter = 0.75 + rand::random::<f64>() * 0.5;
    doubled.mul_f64(jitter).max(retry_after.unwrap_or_default().min(budgets::LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_a_minute_and_respect_retry_after() {
        let within = |attempt, seconds: f64| {
            let delay = backoff(attempt, None).as_secs_f64();
            assert!((seconds * 0.75..=seconds * 1.25).contains(&delay), "attempt {attempt}: {delay}");
        };
        within(1, 1.0);
        within(2, 2.0);
        within(5, 16.0);
        within(7, 60.0);
        within(u32::MAX, 60.0);
        assert_eq!(backoff(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(backoff(1, Some(Duration::from_secs(9000))), budgets::LONGEST_RETRY_AFTER);
    }
}
