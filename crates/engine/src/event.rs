//! What the engine tells: every event carries a revision that only grows.

use serde::{Deserialize, Serialize};

use crate::{ConfigView, ElicitationView, SecretStoreView, ServerId, ServerView};

/// Grows by one with each event of one engine. A reader drops what is not above its snapshot.
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
    /// The tools of a connected server were listed (again).
    ToolsChanged {
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
