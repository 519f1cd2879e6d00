//! A server's question to the person (MCP elicitation), and the answer.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::ServerId;

/// A question that a server asks, usually during a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ElicitationView {
    /// Unique within one run of the engine.
    pub id: String,
    pub server: ServerId,
    /// The server's name, as [`crate::ServerView::name`].
    pub service: String,
    /// The host of the server's address with its port, or the command of a local program.
    pub host: String,
    /// The name that the recipient of this view gave to the call. `None` only in the process that runs the engine, in
    /// three cases: the server asked outside a call; several calls were running; the caller cannot ask a person.
    pub call: Option<String>,
    /// The title or name of the tool that the call runs. `None` if the question belongs to no known call.
    pub tool: Option<String>,
    /// The program that calls the tool. `None` if the question belongs to no known call.
    pub program: Option<CallingProgram>,
    /// The server's text, sanitised for display.
    pub message: String,
    /// JSON Schema of the answer as JSON text, for a form; `None` for a URL.
    pub schema: Option<String>,
    /// The page that the server asks the person to open. It opens only on a click, after the usual checks.
    pub url: Option<String>,
    /// When the question is cancelled if it has no answer.
    pub expires_at: Timestamp,
}

/// A program that calls tools.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum CallingProgram {
    /// The app's window.
    Window,
    /// The command `usher call`.
    CommandLine,
    /// An AI client of the gateway, by the label that names it, sanitised for display.
    Client(String),
}

/// The person's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ElicitationAnswer {
    /// The filled-in fields. A missing field gets the schema's default. For a URL the map is empty.
    Accept(serde_json::Map<String, serde_json::Value>),
    Decline,
    Cancel,
}
