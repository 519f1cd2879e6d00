//! The first messages between a bridge and the process that runs the engine. After them, both sides exchange the MCP
//! messages of the bridge's client, unchanged.

use serde::{Deserialize, Serialize};

use crate::ErrorView;

/// The first line of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeFirstMessage {
    pub bridge: BridgeHello,
}

/// The introduction of a bridge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BridgeHello {
    /// The version of the bridge. Other versions than the engine's are accepted.
    pub version: String,
    pub target: BridgeTarget,
    /// The name of the client, from its settings (`--as`).
    pub label: Option<String>,
    /// The folder in which the client started the bridge.
    pub folder: Option<String>,
}

/// The servers that a client uses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BridgeTarget {
    /// All servers that are enabled.
    All,
    /// One server, by its name in `mcp.json`.
    Named(String),
}

/// The reply to the hello.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BridgeReply {
    Welcome,
    /// The engine cannot serve this bridge. The connection is closed.
    Refused(ErrorView),
}
