//! What a caller hands to the engine: where things lie, and the options of single verbs.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use usher_secrets::StoreKind;

use crate::{Clock, ErrorView, RedirectKind, ServerId};

/// Where an engine finds and keeps things, and what it runs.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// `mcp.json`; a file that is not there yet has no servers.
    pub config: PathBuf,
    /// What was learned and is not secret: `kept.json`.
    pub state_dir: PathBuf,
    /// `engine.lock`, and the socket by which other processes reach this engine.
    pub runtime_dir: PathBuf,
    pub secret_store: StoreKind,
    /// Whether the system asks for the password of a locked keychain as soon as it is needed: where a person has just
    /// begun what needs it. Where not, [`crate::Engine::retry_secret_store`] has it asked.
    pub asks_to_unlock: bool,
    /// Whether addresses of `dev.usher.desktop:` can come to this program: by the system's handler, or because
    /// somebody hands over what the browser shows. Where not, the redirect ladder begins at the loopback listener.
    pub receives_links: bool,
    /// `None` runs every server; `Some` runs these alone and shows no other, until [`crate::Engine::run_also`].
    pub only: Option<Vec<ServerId>>,
    /// How long a connection may take from the first request to the listed tools.
    pub connect_timeout: Duration,
    /// How long a sign-in waits for the browser.
    pub sign_in_timeout: Duration,
    /// The time of day; a test can move it ahead.
    pub clock: Clock,
}

impl EngineOptions {
    /// The usual options: every server, links received, the product's deadlines.
    pub fn new(config: PathBuf, state_dir: PathBuf, runtime_dir: PathBuf, secret_store: StoreKind) -> Self {
        Self {
            config,
            state_dir,
            runtime_dir,
            secret_store,
            asks_to_unlock: true,
            receives_links: true,
            only: None,
            connect_timeout: Duration::from_secs(30),
            sign_in_timeout: Duration::from_secs(5 * 60),
            clock: Clock::default(),
        }
    }
}

/// Why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another engine of this person runs; there is one at a time.
    #[error("Usher is already running")]
    Held {
        pid: Option<u32>,
        /// Where it listens: not always our own runtime folder.
        runtime_dir: PathBuf,
    },
    #[error(transparent)]
    Failed(ErrorView),
}

/// How a sign-in begins.
#[derive(Clone, Debug, Default)]
pub struct SignInOptions {
    /// Tries this way back first; `None` begins where the ladder does, or at what worked the last time.
    pub redirect: Option<RedirectKind>,
    /// Whether links come to whoever asked for this sign-in; `None` leaves it to [`EngineOptions::receives_links`].
    pub receives_links: Option<bool>,
    /// Asked for beside those that the server names.
    pub extra_scopes: Vec<String>,
    /// A client that the person registered by hand; kept in `mcp.json`, its secret in the secret store.
    pub client: Option<ClientCredentials>,
}

/// A client registered by hand.
#[derive(Clone, Debug)]
pub struct ClientCredentials {
    pub client_id: String,
    pub client_secret: Option<SecretString>,
}

/// How a tool is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOptions {
    /// The caller's name for this call, unique among those of its that run: progress, questions and cancel carry it.
    pub call: String,
    /// How long the server may be silent. Progress, and a question to the person, begin it anew.
    pub timeout: Duration,
    /// How long the call waits for the person to give the permission that it lacks; it then goes on by itself.
    /// Zero answers `insufficient_scope` at once.
    pub permission_timeout: Duration,
    /// Whoever calls has nobody to ask: what the server wants to know, the holder of the engine asks its person.
    pub asks_holder: bool,
}

impl CallOptions {
    /// A call of this name, with a minute of silence allowed and five to give permission.
    pub fn new(call: impl Into<String>) -> Self {
        Self {
            call: call.into(),
            timeout: Duration::from_secs(60),
            permission_timeout: Duration::from_secs(5 * 60),
            asks_holder: false,
        }
    }
}
