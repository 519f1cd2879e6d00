//! A server's tools, and the result of calling one.

use serde::{Deserialize, Serialize};

/// One tool. Every text comes from the server and is untrusted. Control and bidi characters are removed, but the front
/// ends must sanitise the markup.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ToolView {
    pub name: String,
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    /// JSON Schema, as JSON text.
    pub input_schema: String,
    pub output_schema: Option<String>,
    pub read_only: Option<bool>,
    pub destructive: Option<bool>,
    /// The reason why the tool cannot be used, as a sentence. The other fields are then incomplete.
    pub broken: Option<String>,
}

/// The result of a tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ToolCallView {
    /// Whether the tool reported a failure (`isError`).
    pub is_error: bool,
    pub content: Vec<ToolContent>,
    /// `structuredContent` as JSON text.
    pub structured: Option<String>,
}

/// One block of a tool's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToolContent {
    Text {
        text: String,
    },
    /// A raster image in base64.
    Image {
        mime_type: String,
        data: String,
    },
    /// Any other block, such as audio, an SVG image or a resource, as JSON text.
    Other {
        json: String,
    },
}
