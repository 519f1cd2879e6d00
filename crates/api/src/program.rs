//! A local program that is an MCP server.

use serde::{Deserialize, Serialize};

/// A program of `mcp.json`, its approval and its output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ProgramView {
    pub launch: LaunchView,
    /// Whether the person approved exactly this launch. A program without approval never runs.
    pub is_approved: bool,
    /// The launch that the person approved before, if the entry has changed since.
    pub earlier: Option<LaunchView>,
    /// The environment variables whose values have changed since that approval.
    pub changed_variables: Vec<String>,
    /// The newest line that the program wrote to stderr; sanitised for display, without secrets.
    pub newest_line: Option<String>,
}

/// The launch of a program, as the person sees it before the approval. All texts are sanitised for display.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct LaunchView {
    /// The command as written in `mcp.json`, with placeholders.
    pub command: String,
    /// The arguments as written.
    pub arguments: Vec<String>,
    /// The names of the environment variables. Their values may be secret, except those of variables that make a program
    /// run other code, such as `NODE_OPTIONS`: they are shown as `NAME=VALUE`.
    pub environment: Vec<String>,
    /// The placeholders whose values the program gets, such as `{{notes_key}}`.
    pub placeholders: Vec<String>,
    /// The folder in which the program runs; `None` for the home folder.
    pub folder: Option<String>,
    /// The SHA-256 digest of the entry as hexadecimal digits. An approval names it.
    pub digest: String,
}
