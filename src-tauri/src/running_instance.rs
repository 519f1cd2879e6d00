//! An Usher in another process, reached through the engine's socket. No session bus is needed.

use std::time::Duration;

use usher_api::Request;
use usher_ipc::{AskError, Client, ConnectError, HolderKind, JoinOptions};

use crate::options::Paths;

/// The deadline for a request. A running Usher usually replies much faster.
const TIMEOUT: Duration = Duration::from_secs(3);

/// The outcome of handing over a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandOver {
    Accepted,
    /// The link belongs to no waiting sign-in of the other process.
    Rejected,
    /// No engine replied, so this process may handle the link.
    NotRunning,
}

/// Returns whether the app is already running in another process. With `show_window`, brings its window to the front.
pub fn is_app_running(paths: &Paths, show_window: bool) -> bool {
    let is_running = async {
        let client = connect(paths).await?;
        if client.holder() != HolderKind::App {
            return None;
        }
        if show_window {
            client.ask(Request::ShowWindow).await.ok()?;
        }
        Some(())
    };
    block_on(is_running).flatten().is_some()
}

/// Calls [`hand_over`] before Tauri and its runtime exist.
pub fn hand_over_at_start(paths: &Paths, address: &str) -> HandOver {
    block_on(hand_over(paths, address)).unwrap_or(HandOver::NotRunning)
}

/// Passes a link to the process that runs the engine.
pub async fn hand_over(paths: &Paths, address: &str) -> HandOver {
    let Some(client) = connect(paths).await else { return HandOver::NotRunning };
    match client.ask(Request::HandOverCallback { address: address.to_owned() }).await {
        Ok(_) => HandOver::Accepted,
        Err(AskError::Failed(_)) => HandOver::Rejected,
        Err(AskError::NotStarted | AskError::Ended | AskError::OutcomeUnknown) => HandOver::NotRunning,
    }
}

async fn connect(paths: &Paths) -> Option<Client> {
    match Client::find(&paths.state_dir, &paths.runtime_dir, JoinOptions::default()).await {
        Ok(client) => Some(client),
        Err(ConnectError::NotRunning) => None,
        Err(error) => {
            tracing::warn!(%error, "could not reach the running Usher; trying to start this one");
            None
        }
    }
}

/// Runs a future on a new runtime. Returns `None` if it takes longer than [`TIMEOUT`].
fn block_on<T>(work: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(TIMEOUT, work).await.ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_running_instance_is_found_in_an_empty_folder() {
        let folder = tempfile::tempdir().unwrap();
        let paths = Paths {
            config: folder.path().join("mcp.json"),
            state_dir: folder.path().join("state"),
            runtime_dir: folder.path().join("run"),
            secret_store: None,
        };
        assert!(!is_app_running(&paths, true));
        let link = "dev.usher.desktop:/oauth/callback?code=a&state=b";
        assert_eq!(hand_over_at_start(&paths, link), HandOver::NotRunning);
    }
}
