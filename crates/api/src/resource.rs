//! A server's resources.

use serde::{Deserialize, Serialize};

/// One resource. Its texts are untrusted, like those of a [`crate::ToolView`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ResourceView {
    pub uri: String,
    pub name: String,
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    pub mime_type: Option<String>,
    /// The reason why the resource cannot be used, as a sentence. The other fields are then incomplete.
    pub broken: Option<String>,
}
