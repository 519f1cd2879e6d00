//! The servers that a client uses.

use usher_api::{BridgeTarget, ErrorView, ServerId, ServerView, Status};
use usher_engine::Engine;

use crate::words;

/// The target of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// One server, whose names stay as they are.
    One(ServerId),
    /// The servers of a group, with joined names.
    Group(String),
    /// All servers, with joined names.
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
                if engine.server(&id).is_some() {
                    return Ok(Self::One(id));
                }
                let members = engine.group(name).ok_or_else(|| words::unknown_target(&id))?;
                engine.run_also(Some(&members)).await;
                Ok(Self::Group(name.clone()))
            }
        }
    }

    /// Returns the servers that are enabled, in the order of the group or of `mcp.json`.
    pub fn servers(&self, engine: &Engine) -> Vec<ServerId> {
        match self {
            Self::One(id) => vec![id.clone()],
            Self::Group(name) => {
                let members = engine.group(name).unwrap_or_default();
                members
                    .into_iter()
                    .filter(|id| engine.server(id).is_some_and(|view| is_enabled(&view)))
                    .collect()
            }
            Self::All => {
                engine.snapshot().servers.into_iter().filter(is_enabled).map(|view| view.id).collect()
            }
        }
    }

    /// Returns whether the names of tools and prompts are joined with the server's.
    pub fn joins_names(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Group(_) | Self::All => true,
        }
    }
}

fn is_enabled(view: &ServerView) -> bool {
    view.status != Status::Disabled
}
