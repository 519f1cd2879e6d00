//! Waiting for a condition, with a deadline. The only place that lets time pass.

use std::future::Future;
use std::time::Duration;

use anyhow::Result;
use tokio::time::Instant;

/// Enough for anything that a person would wait for.
pub const PATIENCE: Duration = Duration::from_secs(20);

const INTERVAL: Duration = Duration::from_millis(50);

/// Asks `probe` until it answers with a value. `what` reads like "the demo to be connected".
///
/// A probe that fails ends the wait at once; a probe that has no answer yet says `None`.
pub async fn until<T, F, Fut>(what: &str, patience: Duration, mut probe: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<Option<T>>>,
{
    let deadline = Instant::now() + patience;
    loop {
        if let Some(value) = probe().await? {
            return Ok(value);
        }
        anyhow::ensure!(Instant::now() < deadline, "waited {} s in vain for {what}", patience.as_secs());
        tokio::time::sleep(INTERVAL).await;
    }
}

/// [`until`] for a probe that needs no `await`.
pub async fn until_ready<T>(
    what: &str,
    patience: Duration,
    mut probe: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    until(what, patience, || std::future::ready(probe())).await
}
