//! The engine's whole public state.

use serde::{Deserialize, Serialize};

use crate::{ElicitationView, ErrorView, Revision, ServerView};

/// The state at one revision. It contains every event up to that revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Snapshot {
    pub revision: Revision,
    /// In the order of `mcp.json`.
    pub servers: Vec<ServerView>,
    pub config: ConfigView,
    pub secret_store: SecretStoreView,
    /// Whether the person paused all servers. During a pause no server is connected and no token is refreshed.
    pub paused: bool,
    /// The unanswered questions that servers asked during the recipient's calls. The process that runs the engine also
    /// gets the questions outside a call.
    pub elicitations: Vec<ElicitationView>,
}

/// The path of `mcp.json`, and the result of reading it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ConfigView {
    pub path: String,
    /// An error with the code `config_invalid`, if the file cannot be read or is not JSON. The servers are then those
    /// of the last valid file.
    pub error: Option<ErrorView>,
    /// The position of the error, counted from 1.
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// The errors of single entries, each with its position. The other entries are in use.
    #[serde(default)]
    pub entry_errors: Vec<String>,
    /// Warnings about entries that are valid but look wrong.
    pub warnings: Vec<String>,
}

/// The secret store in use.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretStoreView {
    /// `error` is `keychain_unavailable` or `keychain_locked` while the store cannot be used.
    Keychain {
        error: Option<ErrorView>,
    },
    File {
        path: String,
        error: Option<ErrorView>,
    },
    Memory,
}

impl SecretStoreView {
    /// Returns the error that makes the store unusable, if any.
    pub fn error(&self) -> Option<&ErrorView> {
        match self {
            Self::Keychain { error } | Self::File { error, .. } => error.as_ref(),
            Self::Memory => None,
        }
    }
}
