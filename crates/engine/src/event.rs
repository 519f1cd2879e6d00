//! What the engine tells: every event carries a revision that only grows.

use serde::{Deserialize, Serialize};

use crate::{ConfigView, ElicitationView, SecretStoreView, ServerId, ServerView};

/// Grows with each event of one engine, also where that is not for this reader. A reader drops what is not above its
/// snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct Revision(#[cfg_attr(feature = "specta", specta(type = u32))] pub u64);

/// One change, whole: a view replaces the one before.
#[expect(
    clippy::large_enum_variant,
    reason = "most events are the large one, and readers want its fields as they are"
)]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    ServerChanged {
        revision: Revision,
        view: ServerView,
    },
    ServerRemoved {
        revision: Revision,
        id: ServerId,
    },
    /// The order or set of servers changed, or the file became good again.
    ConfigChanged {
        revision: Revision,
        order: Vec<ServerId>,
        config: ConfigView,
    },
    /// The file cannot be read; what was known stays.
    ConfigRejected {
        revision: Revision,
        config: ConfigView,
    },
    SecretStoreChanged {
        revision: Revision,
        secret_store: SecretStoreView,
    },
    PausedChanged {
        revision: Revision,
        paused: bool,
    },
    /// The tools of a connected server were listed (again).
    ToolsChanged {
        revision: Revision,
        id: ServerId,
    },
    /// The server says that its resources changed: what was listed before is old.
    ResourcesChanged {
        revision: Revision,
        id: ServerId,
    },
    /// The server says that its prompts changed: what was listed before is old.
    PromptsChanged {
        revision: Revision,
        id: ServerId,
    },
    /// `progress` of a running call; `total` where the server knows it.
    CallProgressed {
        revision: Revision,
        call: String,
        progress: f64,
        total: Option<f64>,
        message: Option<String>,
    },
    ElicitationRequested {
        revision: Revision,
        elicitation: ElicitationView,
    },
    ElicitationEnded {
        revision: Revision,
        id: String,
    },
}

impl Event {
    /// The revision of the snapshot that has this change.
    pub fn revision(&self) -> Revision {
        match self {
            Self::ServerChanged { revision, .. }
            | Self::ServerRemoved { revision, .. }
            | Self::ConfigChanged { revision, .. }
            | Self::ConfigRejected { revision, .. }
            | Self::SecretStoreChanged { revision, .. }
            | Self::PausedChanged { revision, .. }
            | Self::ToolsChanged { revision, .. }
            | Self::ResourcesChanged { revision, .. }
            | Self::PromptsChanged { revision, .. }
            | Self::CallProgressed { revision, .. }
            | Self::ElicitationRequested { revision, .. }
            | Self::ElicitationEnded { revision, .. } => *revision,
        }
    }
}
