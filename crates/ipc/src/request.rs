//! The engine's verbs, as they cross the socket. None has a place for a secret.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use usher_engine::{ElicitationAnswer, RedirectKind, ServerId};

/// One verb and what it needs. [`crate::answer`] says which method of the engine it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    Snapshot,
    Add(NewServer),
    Remove {
        server: ServerId,
    },
    Enable {
        server: ServerId,
    },
    Disable {
        server: ServerId,
    },
    Connect {
        server: ServerId,
    },
    Disconnect {
        server: ServerId,
    },
    SignIn {
        server: ServerId,
        redirect: Option<RedirectKind>,
        /// Whether links come to whoever asks; `None` leaves it to the holder.
        receives_links: Option<bool>,
        extra_scopes: Vec<String>,
    },
    BrowserOpened {
        server: ServerId,
    },
    NextRedirect {
        server: ServerId,
    },
    AuthorizationRequest {
        server: ServerId,
    },
    CancelSignIn {
        server: ServerId,
    },
    /// The address that the browser was sent back to: a code without its verifier.
    CompleteSignIn {
        address: String,
    },
    /// The same from a process that does not stay to hear what becomes of it.
    HandOverLink {
        address: String,
    },
    SignOut {
        server: ServerId,
    },
    Tools {
        server: ServerId,
    },
    Resources {
        server: ServerId,
    },
    Prompts {
        server: ServerId,
    },
    CallTool {
        server: ServerId,
        tool: String,
        arguments: Map<String, Value>,
        /// The client's name for this call, unique among those that it has running.
        call: String,
        /// How long the server may be silent.
        silence_seconds: u64,
        /// How long a permission that the call lacks is waited for; 0 does not wait.
        permission_seconds: u64,
        /// The client has nobody to ask: what the server wants to know, the holder asks its person.
        asks_holder: bool,
    },
    CancelCall {
        call: String,
    },
    AnswerElicitation {
        id: String,
        answer: ElicitationAnswer,
    },
    /// The person does not give the permission that a call waits for.
    DeclinePermission {
        server: ServerId,
    },
    PauseAll,
    ResumeAll,
    /// The asker changed what the secret store holds: a named secret, or `None` for whatever it was.
    SecretsChanged {
        name: Option<String>,
    },
    RetrySecretStore,
    CheckConfig,
    /// Brings the holder's window to the front; refused by a holder that has none.
    ShowWindow,
}

/// A server to add to `mcp.json`. A client secret goes to the secret store by the asker's own hand.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewServer {
    /// `None` makes one from the address.
    pub name: Option<String>,
    pub url: String,
    pub client_id: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub redirect: Option<RedirectKind>,
}

impl Request {
    /// Whether the holder stays until this is done. Whatever else is under way when it ends is asked again elsewhere.
    pub(crate) fn must_finish(&self) -> bool {
        match self {
            Self::Add(_)
            | Self::Remove { .. }
            | Self::Enable { .. }
            | Self::Disable { .. }
            | Self::SignIn { .. }
            | Self::NextRedirect { .. }
            | Self::CompleteSignIn { .. }
            | Self::HandOverLink { .. }
            | Self::SignOut { .. }
            | Self::CallTool { .. }
            | Self::AnswerElicitation { .. } => true,
            Self::Snapshot
            | Self::Connect { .. }
            | Self::Disconnect { .. }
            | Self::BrowserOpened { .. }
            | Self::AuthorizationRequest { .. }
            | Self::CancelSignIn { .. }
            | Self::Tools { .. }
            | Self::Resources { .. }
            | Self::Prompts { .. }
            | Self::CancelCall { .. }
            | Self::SecretsChanged { .. }
            | Self::DeclinePermission { .. }
            | Self::PauseAll
            | Self::ResumeAll
            | Self::RetrySecretStore
            | Self::CheckConfig
            | Self::ShowWindow => false,
        }
    }

    /// Whether it may be asked again when nobody knows what became of it: the holder was killed. A tool that ran may
    /// have sent a letter.
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Self::SignIn { .. }
            | Self::SignOut { .. }
            | Self::Enable { .. }
            | Self::Disable { .. }
            | Self::HandOverLink { .. } => true,
            Self::AnswerElicitation { .. } | Self::BrowserOpened { .. } | Self::CancelCall { .. } => false,
            other => !other.must_finish(),
        }
    }

    /// How long the answer may take; `None` where the engine itself watches over it.
    pub(crate) fn patience(&self) -> Option<Duration> {
        match self {
            Self::CallTool { .. } => None,
            _ => Some(Duration::from_secs(180)),
        }
    }
}
