//! A server's prompts.

use serde::{Deserialize, Serialize};

/// One prompt. Its texts are untrusted, like those of a [`crate::ToolView`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PromptView {
    pub name: String,
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    pub arguments: Vec<PromptArgumentView>,
    /// The reason why the prompt cannot be used, as a sentence. The other fields are then incomplete.
    pub broken: Option<String>,
}

/// One argument of a prompt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PromptArgumentView {
    pub name: String,
    pub description: Option<String>,
    pub required: bool,
}
