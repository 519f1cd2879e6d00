//! The messages on the socket. After a hello and a welcome, the client sends requests, and the holder sends replies and
//! events.

use serde::{Deserialize, Serialize};
use usher_api::{BridgeFirstMessage, ErrorView, Event, Reply, Request, ServerId, Snapshot};

use crate::{HolderKind, Paths};

/// The protocol version. It increases with every change to these messages or to the views in them. A client with another
/// version is refused. Both sides are installed together, so no other version needs support.
pub(crate) const PROTOCOL: u32 = 7;

/// The options of a client that joins the engine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinOptions {
    /// The engine refuses a client whose paths differ from its own; `None` accepts any.
    pub paths: Option<Paths>,
    pub servers: Servers,
    /// Whether the client gets the snapshot and the events.
    pub events: bool,
}

/// The servers that the engine starts for a client, in addition to those that are already running.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Servers {
    #[default]
    None,
    Named(Vec<ServerId>),
    All,
}

/// The first message on a connection.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum FirstMessage {
    Client(Hello),
    /// The bridge of an AI client, whose protocol is MCP from here on.
    Bridge(BridgeFirstMessage),
}

/// The first message of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hello {
    pub protocol: u32,
    pub version: String,
    pub options: JoinOptions,
}

/// A request from a client. All messages after the hello have this type.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientMessage {
    /// Chosen by the client; the reply repeats it.
    pub id: u64,
    pub request: Request,
}

/// A message from the holder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HolderMessage {
    /// The first message to a client that is accepted.
    Welcome {
        holder: HolderKind,
        secret_store: String,
        /// Present if the client asked for events.
        snapshot: Option<Box<Snapshot>>,
    },
    /// The last message to a client that was refused or that sent something invalid.
    Refused(ErrorView),
    Reply {
        id: u64,
        outcome: Result<Reply, ErrorView>,
    },
    /// The holder is about to exit and did not start this request.
    NotStarted {
        id: u64,
    },
    /// The last message of a holder that exits. It follows the replies to all requests that the holder must finish.
    Ended,
    Event(Box<Event>),
    /// Events were lost; the snapshot replaces the client's state.
    Reset(Box<Snapshot>),
}
