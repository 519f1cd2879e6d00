//! An entry of `mcp.json` that a person adds or edits.
//!
//! These types are not part of [`crate::Request`]: a text that a person enters may contain a secret, which never crosses
//! the engine's socket.

use serde::{Deserialize, Serialize};

use crate::{ErrorView, LaunchView, ServerId, TransportKind};

/// The result of the check of a text. Nothing has been written.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EntryCheckView {
    /// The entry that the text becomes; `None` if it has an error.
    pub draft: Option<EntryDraftView>,
    /// The errors, or the warnings of an entry without an error.
    pub problems: Vec<EntryProblemView>,
    /// The names of the servers in the text, if there are several; sanitised for display. One of them is checked.
    pub choices: Vec<String>,
}

/// An entry that could be written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EntryDraftView {
    /// The name that the entry gets in `mcp.json`.
    pub id: ServerId,
    /// The name that the front ends will show.
    pub name: String,
    /// The entry as JSON, in Usher's spelling. A secret that the person has just entered is in it; those in `mcp.json`
    /// and in the secret store are not.
    pub entry: String,
    /// The same entry with its comments.
    pub commented: String,
    pub transport: TransportKind,
    pub sign_in: EntrySignIn,
    /// The service's slug, if the catalogue contains the address.
    pub catalogue: Option<String>,
    /// The address, or the command of a local program without its arguments.
    pub address: String,
    pub launch: Option<LaunchView>,
    pub secrets: Vec<EntrySecretView>,
    /// The other entries with this address.
    pub same_address: Vec<SameAddressView>,
    pub removes: EntryRemovalView,
}

/// The kind of sign-in that an entry uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum EntrySignIn {
    /// A local program, which has no sign-in.
    None,
    /// OAuth, if the server requires it.
    OAuth,
    /// An `Authorization` header.
    Header,
}

/// The result of a probe of an address, before its entry is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ProbeView {
    /// Nothing was sent: the entry is a program, or it has headers or placeholders.
    NotTried,
    /// A server that works without a sign-in.
    Open {
        /// The server's own title, sanitised for display.
        title: Option<String>,
        tools: u32,
    },
    /// A server with a sign-in by OAuth.
    SignIn,
    /// A server that requires authorization and names no sign-in. It may want an API key.
    Unauthorized,
    /// No MCP server answers.
    Failed { error: ErrorView },
}

/// A secret of an entry. Its value is never shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EntrySecretView {
    /// The name in the placeholder `{{name}}`; `None` for a secret in plain text.
    pub name: Option<String>,
    /// The keys in the entry that lead to the secret, such as `headers` and `X-Api-Key`.
    pub setting: Vec<String>,
    pub state: EntrySecretState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum EntrySecretState {
    /// The secret store has it.
    Stored,
    /// The person has to enter it.
    Missing,
    /// It is in the text that the person entered. It moves to the secret store when the entry is written.
    Entered,
    /// It is in plain text in `mcp.json`.
    InFile,
}

/// Another entry with the same address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SameAddressView {
    pub server: ServerId,
    /// The name that the front ends show.
    pub name: String,
    /// The account, if the person is signed in and it is known.
    pub account: Option<String>,
}

/// The sign-in and the secrets that are deleted when an entry is replaced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EntryRemovalView {
    /// Whether the person is signed out, because the kind of sign-in changes.
    pub grant: bool,
    /// The names of the secrets that no entry uses any more.
    pub secrets: Vec<String>,
}

/// An error or a warning about a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EntryProblemView {
    pub is_error: bool,
    pub message: String,
    pub hint: Option<String>,
    /// The line in the text, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

/// An entry of `mcp.json`, for an editor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EntryView {
    /// The entry as it is written. `[hidden]` is in place of each secret in plain text.
    pub text: String,
    /// Identifies this state of the entry. A replacement names it.
    pub version: String,
    pub check: EntryCheckView,
}
