//! One server of `mcp.json`, as the front ends show it.

use serde::{Deserialize, Serialize};

use crate::{AuthView, ErrorView, Status};

/// A server's name in `mcp.json`, unique there. It is never used as a path and never trusted for display.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct ServerId(pub String);

impl std::fmt::Display for ServerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One server with its state. It contains no secrets, only whether they exist.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ServerView {
    pub id: ServerId,
    /// The server's own title, else the catalogue's name, else the id; sanitised for display.
    pub name: String,
    /// The catalogue's slug if the address is known; it selects the service's logo.
    pub catalogue: Option<String>,
    /// The address, or the command line of a local program.
    pub address: String,
    pub transport: TransportKind,
    pub status: Status,
    pub auth: AuthView,
    /// Permission that the server asked for and that is not granted yet. Another sign-in asks for it.
    pub permission: Option<PermissionView>,
    pub last_error: Option<ErrorView>,
}

/// Scopes that a server asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PermissionView {
    /// As the server wrote them; empty if it named none.
    pub scopes: Vec<String>,
    /// The title of the tool whose call waits for the permission; `None` when the connection itself waits.
    pub for_what: Option<String>,
}

/// How a server is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    Http,
    Sse,
    Stdio,
}
