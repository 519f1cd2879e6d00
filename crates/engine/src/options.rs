//! The options of an engine, of a sign-in and of a tool call.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use usher_api::{CallingProgram, ErrorView, RedirectKind, ServerId};
use usher_secrets::StoreKind;

use crate::clock::Clock;

/// The options of an engine.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// The path of `mcp.json`. A missing file counts as a file without servers.
    pub config: PathBuf,
    /// The folder for metadata, registrations and redirects (`kept.json`), the refresh journal and a second
    /// `engine.lock`. It contains no secrets.
    pub state_dir: PathBuf,
    /// The folder for `engine.lock` and the socket.
    pub runtime_dir: PathBuf,
    pub secret_store: StoreKind,
    /// Whether a locked keychain asks for its password at its first use. Set it if a person has just started something
    /// that needs the keychain. Otherwise, only [`crate::Engine::retry_secret_store`] asks.
    pub asks_to_unlock: bool,
    /// Whether callback links (`dev.usher.desktop:`) reach this process, through the system or because a person pastes
    /// them. Otherwise, the default redirect is loopback.
    pub receives_links: bool,
    /// The servers to run; `None` runs all. Others are not shown until [`crate::Engine::run_also`].
    pub only: Option<Vec<ServerId>>,
    /// The deadline for connecting, from resolving the entry in `mcp.json` to listing the tools.
    pub connect_timeout: Duration,
    /// The deadline for the callback.
    pub sign_in_timeout: Duration,
    pub clock: Clock,
}

impl EngineOptions {
    /// Creates options for all servers, with callback links and the default deadlines.
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

/// The reason why an engine did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process of this person is running the engine.
    #[error("Usher is already running")]
    Held {
        pid: Option<u32>,
        /// The folder with the socket of that process. It may differ from our own runtime folder.
        runtime_dir: PathBuf,
    },
    #[error(transparent)]
    Failed(ErrorView),
}

/// The options of a sign-in.
#[derive(Clone, Debug, Default)]
pub struct SignInOptions {
    /// The redirect to use; `None` selects one automatically.
    pub redirect: Option<RedirectKind>,
    /// Whether callback links reach the caller; `None` means [`EngineOptions::receives_links`].
    pub receives_links: Option<bool>,
    /// Scopes to request in addition to those that the server names.
    pub extra_scopes: Vec<String>,
    /// Whether to sign in with a code on another device, whatever `mcp.json` says.
    pub on_device: bool,
    /// Hosts that the person confirmed, because the authorization server's endpoints belong to another site.
    pub confirmed_hosts: Vec<String>,
    /// A client to store before the sign-in: its id in `mcp.json`, its secret in the secret store.
    pub client: Option<PreRegisteredClient>,
}

/// A client that the person registered by hand.
#[derive(Clone, Debug)]
pub struct PreRegisteredClient {
    pub client_id: String,
    pub client_secret: Option<SecretString>,
}

/// An entry of `mcp.json` that a person entered. It may contain secrets in plain text, so it has no `Debug`.
#[derive(Clone)]
pub struct EntryInput {
    /// The name; `None` derives one, and keeps that of an entry that is replaced.
    pub name: Option<String>,
    /// The object, as JSON.
    pub entry: String,
    /// The secrets that the person entered beside it.
    pub secrets: Vec<(SecretPlace, SecretString)>,
    /// `LaunchView::digest` of the launch that the person saw and approved.
    pub approved: Option<String>,
}

/// The place of a secret in an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// The name of a placeholder that the entry has.
    Name(String),
    /// The keys that lead to a setting, which gets a placeholder: `headers` and `X-Api-Key`, for example.
    Setting(Vec<String>),
}

/// The options of a tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallOptions {
    /// The caller's name for this call, unique among its running calls. Progress, questions and cancellations refer to
    /// the call by this name.
    pub call: String,
    /// The program that makes the call, for the person who answers the server's questions.
    pub program: CallingProgram,
    /// The idle timeout. Progress and questions to the person restart it.
    pub timeout: Duration,
    /// The longest wait for a missing permission. If it is zero, the call fails with `insufficient_scope` at once.
    pub permission_timeout: Duration,
    /// Whether the holder asks the person the server's questions, because the caller cannot.
    pub asks_holder: bool,
}

impl CallOptions {
    /// Creates options for the window, with an idle timeout of one minute, and a wait of five minutes for a permission.
    pub fn new(call: impl Into<String>) -> Self {
        Self {
            call: call.into(),
            program: CallingProgram::Window,
            timeout: Duration::from_secs(60),
            permission_timeout: Duration::from_secs(5 * 60),
            asks_holder: false,
        }
    }
}
