//! The text of `mcp.json`, for an editor.
//!
//! These types are not part of [`crate::Request`]: a text that a person enters may contain a secret, which never crosses
//! the engine's socket.

use serde::{Deserialize, Serialize};

use crate::EntryProblemView;

/// The file as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ConfigTextView {
    /// The text, with `\n` at the end of each line. `[hidden]` is in place of each secret in plain text. Comments are
    /// not searched, and a file that is not JSON is shown as it is.
    pub text: String,
    /// Identifies this state of the file. A text that replaces it names it.
    pub version: String,
}

/// The result of the check of a text. Nothing has been written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ConfigTextCheckView {
    /// The first errors and warnings. The errors come first, in the order of the text.
    pub problems: Vec<EntryProblemView>,
    /// The number of further problems.
    pub omitted: u32,
    /// Whether the text can be saved. Entries with errors can: the other entries are used.
    pub can_be_saved: bool,
}

/// The outcome of saving a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConfigSaveView {
    Saved {
        file: ConfigTextView,
    },
    /// Nothing was written, because the file is not the one that the person edited.
    Changed {
        /// The file as it is now.
        file: ConfigTextView,
    },
}
