//! Waits for a condition, with a deadline.

use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

/// The timeout of a wait.
pub const TIMEOUT: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_millis(50);

/// Calls `probe` until it returns a value. `what` completes "waiting for …", such as "the demo to be connected".
///
/// If the probe returns `None`, it is called again. An error ends the wait.
pub async fn until<T, F>(what: &str, mut probe: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(value) = probe().await? {
            return Ok(value);
        }
        let seconds = TIMEOUT.as_secs();
        anyhow::ensure!(Instant::now() < deadline, "timed out after {seconds} s waiting for {what}");
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Calls a synchronous `probe` until it returns a value, like [`until`].
pub async fn until_ready<T>(what: &str, mut probe: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    until(what, || std::future::ready(probe())).await
}
