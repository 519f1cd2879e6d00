//! The signals that end a command that runs until it is stopped.

/// Waits for Ctrl-C or SIGTERM.
#[cfg(unix)]
pub async fn termination() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
pub async fn termination() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
