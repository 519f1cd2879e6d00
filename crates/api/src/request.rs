//! The requests to the engine, with their arguments.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{CallingProgram, ElicitationAnswer, RedirectKind, ServerId};

/// A request to the engine.
///
/// The TypeScript type has only the requests that the page sends in this form. Some of the other requests have a Tauri
/// command of their own; the rest are sent only between processes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "request", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    Snapshot,
    #[cfg_attr(feature = "specta", specta(skip))]
    Add(Box<NewServer>),
    /// A verb that needs only the server.
    Server {
        server: ServerId,
        verb: ServerVerb,
    },
    #[cfg_attr(feature = "specta", specta(skip))]
    SignIn {
        server: ServerId,
        redirect: Option<RedirectKind>,
        /// Whether callback links reach the caller; `None` uses the engine's setting.
        receives_links: Option<bool>,
        extra_scopes: Vec<String>,
        /// Hosts of another site that the person confirmed. See `EndpointsView`.
        confirmed_hosts: Vec<String>,
        /// Whether to sign in with a code on another device, whatever `mcp.json` says.
        #[serde(default)]
        on_device: bool,
    },
    /// Completes a sign-in with the callback from the browser. The callback contains the code but not the PKCE
    /// verifier, so it is not a secret on its own.
    CompleteSignIn {
        address: String,
    },
    /// Delivers a callback without waiting for the code exchange.
    #[cfg_attr(feature = "specta", specta(skip))]
    HandOverCallback {
        address: String,
    },
    #[cfg_attr(feature = "specta", specta(skip))]
    CallTool {
        server: ServerId,
        tool: String,
        arguments: Map<String, Value>,
        /// The caller's name for this call, unique among its running calls.
        call: String,
        /// The program that makes the call. It is shown to the person with a question of the server.
        program: CallingProgram,
        /// The idle timeout: the longest time without a message from the server.
        idle_timeout_seconds: u64,
        /// How long the call waits for a missing permission; with 0 it fails immediately.
        permission_seconds: u64,
        /// Whether the server's questions go to the holder (the process that runs the engine), because the caller
        /// cannot ask a person.
        asks_holder: bool,
    },
    CancelCall {
        call: String,
    },
    #[cfg_attr(feature = "specta", specta(skip))]
    AnswerElicitation {
        id: String,
        answer: ElicitationAnswer,
    },
    PauseAll,
    ResumeAll,
    /// Reports that the caller changed the secret store: one named secret, or any secret if `None`.
    #[cfg_attr(feature = "specta", specta(skip))]
    SecretsChanged {
        name: Option<String>,
    },
    /// Allows a secret for an origin. Send it only after the person saw both and agreed.
    AllowSecret {
        /// A placeholder (`{{name}}` or `${VAR}`), or the name of a secret.
        secret: String,
        /// An address with this origin.
        origin: String,
    },
    /// Withdraws the permission to send a secret to an origin. The next use there needs the person's permission again.
    DisallowSecret {
        /// As in `AllowSecret`.
        secret: String,
        origin: String,
    },
    /// Approves a local program. Send it only after the person saw the launch with this digest and agreed.
    Approve {
        server: ServerId,
        /// `LaunchView::digest`
        digest: String,
    },
    /// Reports that the caller stored a new value of a named secret.
    #[cfg_attr(feature = "specta", specta(skip))]
    SecretStored {
        name: String,
        /// The value is for the server at this address only: the origins of the earlier value are forgotten. Without an
        /// address they stay allowed.
        address: Option<String>,
    },
    /// Forgets all origins for which a secret is allowed, and when it was last used.
    #[cfg_attr(feature = "specta", specta(skip))]
    ForgetSecretOrigins {
        secret: String,
    },
    #[cfg_attr(feature = "specta", specta(skip))]
    RetrySecretStore,
    CheckConfig,
    /// Lists the named secrets.
    Secrets,
    /// Deletes a named secret, and forgets which origins may get it. Succeeds if there is no such secret.
    DeleteSecret {
        name: String,
    },
    /// Lists the grants whose servers are not in `mcp.json`.
    Orphans,
    /// Revokes and deletes such a grant.
    RemoveOrphan {
        server: ServerId,
    },
    /// Brings the app's window to the front. Fails in a process without a window.
    #[cfg_attr(feature = "specta", specta(skip))]
    ShowWindow,
    /// Ends `usher serve`, because another program wants to run the engine. Fails in any other process.
    #[cfg_attr(feature = "specta", specta(skip))]
    Yield,
}

/// The verbs whose only argument is a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum ServerVerb {
    /// Signs out and removes the server from `mcp.json`.
    Remove,
    Enable,
    /// Disables the server in `mcp.json`. The grant is kept.
    Disable,
    /// Connects immediately: after a disconnect or a failure, or during a backoff.
    Connect,
    /// Closes the connection until the next `Connect` or the next start of the engine.
    Disconnect,
    /// Revokes and deletes the grant.
    SignOut,
    /// Deletes the server's stored metadata, client registration and redirect. The grant is kept.
    Forget,
    /// Reports that the caller opened the browser.
    #[cfg_attr(feature = "specta", specta(skip))]
    BrowserOpened,
    /// Restarts the sign-in with the next redirect or without `prompt`, because the page in the browser shows an error.
    #[cfg_attr(feature = "specta", specta(skip))]
    NextRedirect,
    /// Returns the authorization request that waits for the browser.
    AuthorizationRequest,
    CancelSignIn,
    /// Declines the permission that a call waits for.
    DeclinePermission,
    /// Declines the server's open questions, and all later ones until `AllowQuestions`.
    BlockQuestions,
    AllowQuestions,
    Tools,
    Resources,
    Prompts,
    /// Returns the last lines that a program wrote to stderr.
    Log,
}

/// A server to add to `mcp.json`: an address, or a program. Secrets are not part of it: values contain placeholders.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewServer {
    /// `None` derives a name from the address or the command. If the name is in use, a number is added to it.
    pub name: Option<String>,
    /// The address; empty for a program.
    pub url: String,
    /// The program to run instead. It needs the person's approval.
    pub program: Option<NewProgram>,
    /// Names and templates, such as `Bearer {{notion_key}}`.
    pub headers: Vec<(String, String)>,
    pub title: Option<String>,
    pub description: Option<String>,
    pub client_id: Option<String>,
    /// The authorization endpoint. It is set together with `client_id` and `token_url`, or not at all.
    pub authorization_url: Option<String>,
    pub token_url: Option<String>,
    pub audience: Option<String>,
    /// Further parameters of the authorization request.
    pub parameters: Vec<(String, String)>,
    pub scopes: Option<Vec<String>>,
    /// The only redirect to use; `None` tries all of them.
    pub redirect: Option<RedirectKind>,
}

/// The program of a new server. Arguments and the values of variables are templates.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NewProgram {
    pub command: String,
    pub args: Vec<String>,
    pub env: Vec<(String, String)>,
    /// The folder; `None` for the home folder.
    pub cwd: Option<String>,
}

impl Request {
    pub fn server(server: &ServerId, verb: ServerVerb) -> Self {
        Self::Server { server: server.clone(), verb }
    }

    /// Returns whether an ending holder must finish the request. Other requests are sent again to the next holder.
    pub fn must_finish(&self) -> bool {
        match self {
            Self::Add(_)
            | Self::SignIn { .. }
            | Self::CompleteSignIn { .. }
            | Self::HandOverCallback { .. }
            | Self::CallTool { .. }
            | Self::AllowSecret { .. }
            | Self::DisallowSecret { .. }
            | Self::DeleteSecret { .. }
            | Self::Approve { .. }
            | Self::SecretStored { .. }
            | Self::ForgetSecretOrigins { .. }
            | Self::AnswerElicitation { .. }
            | Self::RemoveOrphan { .. } => true,
            Self::Server { verb, .. } => verb.must_finish(),
            Self::Snapshot
            | Self::CancelCall { .. }
            | Self::SecretsChanged { .. }
            | Self::PauseAll
            | Self::ResumeAll
            | Self::RetrySecretStore
            | Self::CheckConfig
            | Self::Secrets
            | Self::Orphans
            | Self::ShowWindow
            | Self::Yield => false,
        }
    }

    /// Returns whether the request may be sent again if the holder disconnected or timed out before the reply. A tool
    /// call must not be repeated, because it may already have taken effect.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Self::SignIn { .. }
            | Self::HandOverCallback { .. }
            | Self::AllowSecret { .. }
            | Self::DisallowSecret { .. }
            | Self::DeleteSecret { .. }
            | Self::Approve { .. }
            | Self::SecretStored { .. }
            | Self::ForgetSecretOrigins { .. } => true,
            Self::Server { verb, .. } => verb.may_be_repeated(),
            Self::AnswerElicitation { .. } | Self::CancelCall { .. } => false,
            other => !other.must_finish(),
        }
    }

    /// Returns the deadline for the reply, or `None` if the request has its own timeouts.
    pub fn deadline(&self) -> Option<Duration> {
        match self {
            Self::CallTool { .. } => None,
            _ => Some(Duration::from_secs(180)),
        }
    }
}

impl ServerVerb {
    fn must_finish(self) -> bool {
        match self {
            Self::Remove
            | Self::Enable
            | Self::Disable
            | Self::SignOut
            | Self::Forget
            | Self::BlockQuestions
            | Self::AllowQuestions
            | Self::NextRedirect => true,
            Self::Connect
            | Self::Disconnect
            | Self::BrowserOpened
            | Self::AuthorizationRequest
            | Self::CancelSignIn
            | Self::DeclinePermission
            | Self::Tools
            | Self::Resources
            | Self::Prompts
            | Self::Log => false,
        }
    }

    fn may_be_repeated(self) -> bool {
        match self {
            Self::Remove | Self::NextRedirect | Self::BrowserOpened => false,
            Self::Enable
            | Self::Disable
            | Self::Connect
            | Self::Disconnect
            | Self::SignOut
            | Self::Forget
            | Self::AuthorizationRequest
            | Self::CancelSignIn
            | Self::DeclinePermission
            | Self::BlockQuestions
            | Self::AllowQuestions
            | Self::Tools
            | Self::Resources
            | Self::Prompts
            | Self::Log => true,
        }
    }
}
