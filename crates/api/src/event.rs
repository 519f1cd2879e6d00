//! One change to the engine's public state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ConfigView, ElicitationView, Revision, SecretStoreView, ServerId, ServerView};

/// A change. The views in events are complete: each one replaces the previous view.
#[expect(clippy::large_enum_variant, reason = "most events are of the large variant")]
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
    /// The servers or their order changed, or `mcp.json` became valid again.
    ConfigChanged {
        revision: Revision,
        order: Vec<ServerId>,
        config: ConfigView,
    },
    /// `mcp.json` was read again because it changed, and the servers follow it. Sent after the events of the changes.
    ConfigReloaded {
        revision: Revision,
        changes: ConfigChangesView,
    },
    /// `mcp.json` is unreadable or not JSON. The previous servers stay in use.
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
    /// The tools of a connected server were listed for the first time, or the list changed.
    ToolsChanged {
        revision: Revision,
        id: ServerId,
    },
    /// The server's resources may have changed: the server reported it, or Usher reconnected. Earlier lists are out of
    /// date.
    ResourcesChanged {
        revision: Revision,
        id: ServerId,
    },
    /// The server's prompts may have changed: the server reported it, or Usher reconnected. Earlier lists are out of
    /// date.
    PromptsChanged {
        revision: Revision,
        id: ServerId,
    },
    /// The progress of a running call. `total` is `None` if the server does not send it.
    CallProgressed {
        revision: Revision,
        call: String,
        progress: f64,
        total: Option<f64>,
        message: Option<String>,
    },
    /// A server's question about the recipient's call was sent to the process that runs the engine, because the
    /// recipient cannot ask a person.
    CallWaitsForAnswer {
        revision: Revision,
        call: String,
        /// When the question is cancelled if it has no answer.
        expires_at: Timestamp,
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

/// A summary of a new `mcp.json`: the displayed names of the entries, without the untouched examples of a new file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ConfigChangesView {
    /// In the order of the file, as in `changed` and `failed`.
    pub added: Vec<String>,
    pub changed: Vec<String>,
    /// Sorted by name.
    pub removed: Vec<String>,
    /// The entries that have an error, and had none before.
    pub failed: Vec<String>,
}

impl ConfigChangesView {
    pub fn is_empty(&self) -> bool {
        let Self { added, changed, removed, failed } = self;
        [added, changed, removed, failed].iter().all(|names| names.is_empty())
    }
}

impl Event {
    /// Returns the revision of the first snapshot that contains this change.
    pub fn revision(&self) -> Revision {
        match self {
            Self::ServerChanged { revision, .. }
            | Self::ServerRemoved { revision, .. }
            | Self::ConfigChanged { revision, .. }
            | Self::ConfigReloaded { revision, .. }
            | Self::ConfigRejected { revision, .. }
            | Self::SecretStoreChanged { revision, .. }
            | Self::PausedChanged { revision, .. }
            | Self::ToolsChanged { revision, .. }
            | Self::ResourcesChanged { revision, .. }
            | Self::PromptsChanged { revision, .. }
            | Self::CallProgressed { revision, .. }
            | Self::CallWaitsForAnswer { revision, .. }
            | Self::ElicitationRequested { revision, .. }
            | Self::ElicitationEnded { revision, .. } => *revision,
        }
    }
}
