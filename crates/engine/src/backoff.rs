//! The wait before a retry.

use std::time::Duration;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// The longest `Retry-After` that is respected.
pub(crate) const LONGEST_ASKED: Duration = Duration::from_secs(5 * 60);

/// Doubles with each attempt (the first is 1). A quarter of jitter prevents all clients from retrying together after an
/// outage. `asked` is the server's `Retry-After`, and a lower bound.
pub(crate) fn backoff(attempt: u32, asked: Option<Duration>) -> Duration {
    let doubled = FIRST.saturating_mul(2u32.saturating_pow(attempt.saturating_sub(1).min(16))).min(LONGEST);
    let jitter = 0.75 + rand::random::<f64>() * 0.5;
    doubled.mul_f64(jitter).max(asked.unwrap_or_default().min(LONGEST_ASKED))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_minute_and_obey_the_server() {
        let within = |attempt, seconds: f64| {
            let wait = backoff(attempt, None).as_secs_f64();
            assert!((seconds * 0.75..=seconds * 1.25).contains(&wait), "attempt {attempt}: {wait}");
        };
        within(1, 1.0);
        within(2, 2.0);
        within(5, 16.0);
        within(7, 60.0);
        within(u32::MAX, 60.0);
        assert_eq!(backoff(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
        assert_eq!(backoff(1, Some(Duration::from_secs(9000))), LONGEST_ASKED);
    }
}
