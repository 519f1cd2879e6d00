//! The messages on the socket: a hello and its welcome, then requests one way, replies and events the other.

use serde::{Deserialize, Serialize};
use usher_api::{ErrorView, Event, Reply, Request, ServerId, Snapshot};

use crate::{HolderKind, Paths};

/// Increases with every change of these messages or of the views in them. Both sides come from one package, so any
/// other number is refused.
pub(crate) const PROTOCOL: u32 = 4;

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

/// The servers that the engine starts for a client, beside those that already run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Servers {
    #[default]
    None,
    Named(Vec<ServerId>),
    All,
}

/// The first message of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hello {
    pub protocol: u32,
    pub version: String,
    pub options: JoinOptions,
}

/// Every later message of a client.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ClientMessage {
    /// Chosen by the client; the reply repeats it.
    pub id: u64,
    pub request: Request,
}

/// A message of the holder.
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
    /// The last message: the holder reads no more from this client.
    Refused(ErrorView),
    Reply {
        id: u64,
        outcome: Result<Reply, ErrorView>,
    },
    /// The holder is about to end and did not start this request.
    NotStarted {
        id: u64,
    },
    /// The last message of a holder that ends. It has replied to everything that it started.
    Ended,
    Event(Box<Event>),
    /// Events were lost; the snapshot replaces the client's state.
    Reset(Box<Snapshot>),
}
