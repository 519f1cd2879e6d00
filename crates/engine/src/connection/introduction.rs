//! How a server introduces itself to its clients.

use serde_json::{Map, Value};

/// The texts with which a server introduces itself to clients. They are not sanitised.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Introduction {
    pub title: Option<String>,
    pub instructions: Option<String>,
    /// The capabilities that the server declared, as JSON.
    pub capabilities: Map<String, Value>,
}
