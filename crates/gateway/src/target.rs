//! The servers that a client uses.

use usher_api::{BridgeTarget, ErrorView, ServerId, Status};
use usher_engine::Engine;

use crate::words;

/// The target of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One server, whose names stay as they are.
    One(ServerId),
    /// All servers that are enabled, with joined names.
    All,
}

impl Target {
    /// Starts the servers of a target. Fails if it does not exist.
    pub async fn open(wanted: &BridgeTarget, engine: &Engine) -> Result<Self, ErrorView> {
        match wanted {
            BridgeTarget::All => {
                engine.run_also(None).await;
                Ok(Self::All)
            }
            BridgeTarget::Named(name) => {
                let id = ServerId(name.clone());
                engine.run_also(Some(std::slice::from_ref(&id))).await;
                match engine.server(&id) {
                    Some(_) => Ok(Self::One(id)),
                    None => Err(words::unknown_target(&id)),
                }
            }
        }
    }

    /// Returns the servers, in the order of `mcp.json`.
    pub fn servers(&self, engine: &Engine) -> Vec<ServerId> {
        match self {
            Self::One(id) => vec![id.clone()],
            Self::All => {
                let servers = engine.snapshot().servers.into_iter();
                servers.filter(|server| server.status != Status::Disabled).map(|server| server.id).collect()
            }
        }
    }

    /// Returns whether the names of tools and prompts are joined with the server's.
    pub fn joins_names(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::All => true,
        }
    }
}
