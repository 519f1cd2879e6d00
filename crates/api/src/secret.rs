//! The named secrets, and the environment variables that may be sent. The values are not part of these types.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ErrorView, ServerId};

/// The named secrets, sorted by name, and then the environment variables that may be sent.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SecretsView {
    pub secrets: Vec<SecretView>,
    /// The displayed names of the entries with an error in `mcp.json`. It is unknown which secrets they use.
    pub unknown_entries: Vec<String>,
    /// The error of `mcp.json`, if it cannot be read or is not JSON. It is then unknown which secrets are used.
    pub config_error: Option<ErrorView>,
}

/// A named secret, or an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SecretView {
    /// The name of a secret, or an environment variable as `${VAR}`. The name of a stored secret may contain any
    /// characters except control characters.
    pub name: String,
    pub state: SecretState,
    /// The settings in `mcp.json` with this placeholder, in the order of the file, without the untouched examples of a
    /// new file. Settings that are resolved when the file is read, such as an address, are left out.
    pub uses: Vec<SecretUseView>,
    /// The origins to which the value may be sent, such as `https://mcp.example.com`.
    pub origins: Vec<String>,
    /// Further origins to which an entry would send the value. The person has not allowed them.
    pub refused_origins: Vec<String>,
    /// Whether a server that uses the stored secret is connected now.
    pub in_use: bool,
    /// The last time at which a server that uses the stored secret began to connect, or was seen connected. It is
    /// accurate to an hour, and up to an hour is lost if Usher is killed. `None` if that has not happened yet, or for an
    /// environment variable.
    pub last_used: Option<Timestamp>,
}

/// Whether there is a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum SecretState {
    /// The secret store has the value.
    Stored,
    /// An entry uses the secret, and the secret store does not have it.
    Missing,
    /// An environment variable.
    Variable,
}

/// A setting of an entry that uses a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SecretUseView {
    pub server: ServerId,
    /// The server's name, as the front ends show it.
    pub server_name: String,
    /// The keys that lead to the setting, such as `headers` and `X-Api-Key`.
    pub setting: Vec<String>,
    /// Whether the server is a program on this computer.
    pub is_program: bool,
    /// Whether the server is disabled in `mcp.json`.
    pub is_disabled: bool,
}
