//! What people may see of a server. Of secrets a view says only whether there are any.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ErrorView, Revision};

/// A server's name in `mcp.json`, unique there. Never a path, never trusted for display.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct ServerId(pub String);

impl std::fmt::Display for ServerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Everything a window needs at its start. Events with a revision not above this one are already in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct Snapshot {
    pub revision: Revision,
    /// In the order of `mcp.json`.
    pub servers: Vec<ServerView>,
    pub config: ConfigView,
    pub secret_store: SecretStoreView,
    /// The person paused everything: no server is connected and nothing is renewed until it goes on.
    pub paused: bool,
    /// Questions that servers ask this reader, for its calls, and that are not answered yet. The holder of the engine
    /// also gets those that belong to no call.
    pub elicitations: Vec<ElicitationView>,
}

/// Where `mcp.json` lies and whether it could be read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ConfigView {
    pub path: String,
    /// `config_invalid`: the servers shown are those of the last good file.
    pub error: Option<ErrorView>,
    /// 1-based place of the fault.
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// What the checker explains but does not refuse.
    pub warnings: Vec<String>,
}

/// Where secrets are kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretStoreView {
    /// `error` is `keychain_unavailable` or `keychain_locked` where it cannot be used now.
    Keychain {
        error: Option<ErrorView>,
    },
    File {
        path: String,
        error: Option<ErrorView>,
    },
    Memory,
}

impl SecretStoreView {
    /// Why it cannot be used now.
    pub fn error(&self) -> Option<&ErrorView> {
        match self {
            Self::Keychain { error } | Self::File { error, .. } => error.as_ref(),
            Self::Memory => None,
        }
    }
}

/// One server, as people may see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ServerView {
    pub id: ServerId,
    /// The service's own title where it told one, else the catalogue's, else the id; cleaned for display.
    pub name: String,
    /// The catalogue's slug, where the address is a known one: picks the mark.
    pub catalogue: Option<String>,
    /// The address, or the command line of a local server.
    pub address: String,
    pub transport: TransportKind,
    pub status: Status,
    pub auth: AuthView,
    /// The server wants more permission than it was given; a sign-in asks for it.
    pub permission: Option<PermissionView>,
    pub last_error: Option<ErrorView>,
}

/// What a server wants to be permitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PermissionView {
    /// As the server names them; empty where it names none.
    pub scopes: Vec<String>,
    /// The title of the tool whose call waits for it; `None` where the connection itself does.
    pub for_what: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum TransportKind {
    Http,
    Sse,
    Stdio,
}

/// A server's life. `ServerView::status` is the only truth about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    Disabled,
    /// Until everything goes on (see `Snapshot::paused`).
    Paused,
    /// Read from `mcp.json`, but of a kind that Usher does not run yet.
    Unsupported {
        why: String,
    },
    Connecting,
    NeedsSignIn {
        reason: NeedsSignIn,
    },
    SigningIn {
        step: SignInStep,
        /// The host whose page the browser shows, once known.
        host: Option<String>,
        redirect: Option<RedirectKind>,
        /// When the browser was opened.
        opened: Option<Timestamp>,
        /// When this sign-in gives up.
        expires_at: Option<Timestamp>,
        /// Which redirect would be tried next, if the page shows an error.
        next_redirect: Option<RedirectKind>,
    },
    Connected {
        since: Timestamp,
        /// The MCP revision in use, such as `2026-07-28`.
        protocol: String,
        tool_count: u32,
    },
    Reconnecting {
        attempt: u32,
        next_at: Timestamp,
        why: ErrorView,
    },
    /// A person must change something.
    Failed {
        error: ErrorView,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum NeedsSignIn {
    NeverSignedIn,
    Expired,
    Refused,
    MorePermissionNeeded,
    RegistrationLost,
    /// A crash, a quit or the network cut off a renewal, and the service does not take the old sign-in again.
    RenewalInterrupted,
    SignedOut,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    Discovering,
    Registering,
    WaitingForBrowser,
    Exchanging,
    /// The token is kept; the first list call is under way.
    Connecting,
}

/// The rungs of the redirect ladder, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum RedirectKind {
    /// `dev.usher.desktop:/oauth/callback` (RFC 8252 §7.1).
    Link,
    /// `dev.usher.desktop://oauth/callback`, for servers that ask for a host.
    LinkWithHost,
    /// `http://127.0.0.1:PORT/oauth/callback`, a listener for one sign-in (RFC 8252 §7.3).
    Loopback,
    /// The person copies the address from the browser.
    Paste,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum RegistrationKind {
    PreRegistered,
    MetadataDocument,
    Dynamic,
}

/// How the server is signed in to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum AuthView {
    /// Not known before the first answer.
    Unknown,
    /// The server asks for nothing.
    None,
    /// `Authorization` stands in `headers`: OAuth is off.
    Header,
    OAuth {
        signed_in: bool,
        issuer: Option<String>,
        account: Option<String>,
        scopes: Vec<String>,
        expires_at: Option<Timestamp>,
        /// Whether it can be renewed without the person.
        renewable: bool,
        client_id: Option<String>,
        registration: Option<RegistrationKind>,
        redirect: Option<RedirectKind>,
        resource: Option<String>,
    },
}

/// One tool. Every text is the server's: cleaned of control and bidi characters, never of markup; the reader
/// treats it as hostile.
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
}

/// A finished tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ToolCallView {
    /// The tool itself says that it failed (`isError`).
    pub is_error: bool,
    pub content: Vec<ToolContent>,
    /// `structuredContent` as JSON text.
    pub structured: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToolContent {
    Text {
        text: String,
    },
    /// Base64, raster only.
    Image {
        mime_type: String,
        data: String,
    },
    /// Audio, embedded resources and links, as JSON text.
    Other {
        json: String,
    },
}

/// A question that a server asks, mostly in the middle of a call (MCP elicitation).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ElicitationView {
    /// Unique in this run.
    pub id: String,
    pub server: ServerId,
    /// The reader's name for its call that led to the question. `None`, at the holder of the engine alone: the server
    /// asked by the stream of its session while no call ran or several did, or whoever calls has nobody to ask.
    pub call: Option<String>,
    pub message: String,
    /// JSON Schema of the answer as JSON text, for a form; `None` for a URL.
    pub schema: Option<String>,
    /// The page the server asks to open; opened only on a click, after the usual checks.
    pub url: Option<String>,
}

/// One resource. Its texts are the server's, as with [`ToolView`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ResourceView {
    pub uri: String,
    pub name: String,
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    pub mime_type: Option<String>,
}

/// One prompt. Its texts are the server's, as with [`ToolView`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PromptView {
    pub name: String,
    pub title: Option<String>,
    /// Markdown.
    pub description: Option<String>,
    pub arguments: Vec<PromptArgumentView>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PromptArgumentView {
    pub name: String,
    pub description: Option<String>,
    pub required: bool,
}
