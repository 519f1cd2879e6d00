//! The Usher that runs already, in another process: asked through the engine's socket, with or without a session bus.

use std::time::Duration;

use usher_api::Request;
use usher_ipc::{AskError, Client, ConnectError, HolderKind, JoinOptions};

use crate::options::Places;

/// Longer than anybody takes who listens at all.
const DEADLINE: Duration = Duration::from_secs(3);

/// What became of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HandedOver {
    Taken,
    /// It belongs to no sign-in that waits there.
    Refused,
    /// Nobody took it: this process may be the one to do so.
    NobodyThere,
}

/// Whether an app runs that this start can leave it to; its window comes forward where the person wants to see one.
pub fn is_app(places: &Places, wants_window: bool) -> bool {
    let asked = async {
        let client = connect(places).await?;
        if client.holder() != HolderKind::App {
            return None;
        }
        if wants_window {
            client.ask(Request::ShowWindow).await.ok()?;
        }
        Some(())
    };
    at_once(asked).flatten().is_some()
}

/// Gives a link to whoever holds the engine, before this process has anything of its own.
pub fn hand_over_at_start(places: &Places, address: &str) -> HandedOver {
    at_once(hand_over(places, address)).unwrap_or(HandedOver::NobodyThere)
}

/// Gives a link to whoever holds the engine.
pub async fn hand_over(places: &Places, address: &str) -> HandedOver {
    let Some(client) = connect(places).await else { return HandedOver::NobodyThere };
    match client.ask(Request::HandOverLink { address: address.to_owned() }).await {
        Ok(_) => HandedOver::Taken,
        Err(AskError::Failed(_)) => HandedOver::Refused,
        Err(AskError::NotStarted | AskError::Ended | AskError::OutcomeUnknown) => HandedOver::NobodyThere,
    }
}

async fn connect(places: &Places) -> Option<Client> {
    match Client::find(&places.state_dir, &places.runtime_dir, JoinOptions::default()).await {
        Ok(client) => Some(client),
        Err(ConnectError::NotRunning) => None,
        Err(error) => {
            tracing::warn!(%error, "the running Usher cannot be asked; looking for its window");
            None
        }
    }
}

/// Runs before Tauri and its runtime are there; `None` where it takes too long.
fn at_once<T>(work: impl Future<Output = T>) -> Option<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
    runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await.ok() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nobody_runs_nobody_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let places = Places {
            config: folder.path().join("mcp.json"),
            state_dir: folder.path().join("state"),
            runtime_dir: folder.path().join("run"),
            secret_store: None,
        };
        assert!(!is_app(&places, true));
        let link = "dev.usher.desktop:/oauth/callback?code=a&state=b";
        assert_eq!(hand_over_at_start(&places, link), HandedOver::NobodyThere);
    }
}
