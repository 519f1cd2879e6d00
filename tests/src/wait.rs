//! Waits for a condition, with a deadline.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

/// The usual timeout of a wait.
pub const TIMEOUT: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_millis(50);

/// Calls `probe` until it returns a value. `what` completes "waiting for …", such as "the demo to be connected".
///
/// If the probe returns `None`, it is called again. An error ends the wait.
pub async fn until<T, F, Fut>(what: &str, timeout: Duration, mut probe: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + timeout;
    loop {
        if let Some(value) = probe().await? {
            return Ok(value);
        }
        anyhow::ensure!(
            Instant::now() < deadline,
            "timed out after {} s waiting for {what}",
            timeout.as_secs()
        );
        tokio::time::sleep(INTERVAL).await;
    }
}

/// Calls a synchronous `probe` until it returns a value, like [`until`].
pub async fn until_ready<T>(
    what: &str,
    timeout: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    until(what, timeout, || std::future::ready(probe())).await
}
