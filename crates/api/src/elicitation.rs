//! A server's question to the person (MCP elicitation), and the answer.

use serde::{Deserialize, Serialize};

use crate::ServerId;

/// A question that a server asks, usually during a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ElicitationView {
    /// Unique within one run of the engine.
    pub id: String,
    pub server: ServerId,
    /// The reader's name for the call that caused the question. `None` only in the process that runs the engine: the
    /// server asked outside a call or while several ran, or the caller cannot ask a person.
    pub call: Option<String>,
    pub message: String,
    /// JSON Schema of the answer as JSON text, for a form; `None` for a URL.
    pub schema: Option<String>,
    /// The page that the server asks to open. It is opened only on a click, after the usual checks.
    pub url: Option<String>,
}

/// The person's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElicitationAnswer {
    /// The filled-in fields. A missing field takes the schema's default; for a URL the map is empty.
    Accept(serde_json::Map<String, serde_json::Value>),
    Decline,
    Cancel,
}
