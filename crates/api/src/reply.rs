//! The engine's reply to a request.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    ConfigView, DeviceSignInView, PromptView, RedirectKind, ResourceView, SecretsView, ServerId, Snapshot,
    ToolCallView, ToolView,
};

/// The result of a [`crate::Request`] that succeeded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Done,
    Snapshot(Box<Snapshot>),
    /// The id of the added server, or of the server whose sign-in was completed.
    Server(ServerId),
    /// `None` when no sign-in waits for the browser.
    Authorization(Option<AuthorizationRequestView>),
    /// The code and the page of a sign-in on another device.
    Device(DeviceSignInView),
    Tools(Vec<ToolView>),
    Resources(Vec<ResourceView>),
    Prompts(Vec<PromptView>),
    /// The last lines that a program wrote to stderr, oldest first; sanitised for display, without secrets.
    Log(Vec<String>),
    ToolCall(ToolCallView),
    Config(ConfigView),
    Orphans(Vec<OrphanView>),
    Secrets(SecretsView),
}

/// A grant whose server is not in `mcp.json`, because its entry was removed by hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct OrphanView {
    /// The name that the entry had.
    pub server: ServerId,
    /// The same name, sanitised for display.
    pub name: String,
    /// The host of the service, if it is known.
    pub host: Option<String>,
}

/// An authorization request that waits for the browser.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct AuthorizationRequestView {
    /// The URL to open. It is validated: https (or http on a loopback host), with no userinfo.
    pub authorization_url: String,
    pub redirect_uri: String,
    /// The host of the page.
    pub host: String,
    pub redirect: RedirectKind,
    /// The time at which the sign-in times out.
    pub expires_at: Timestamp,
}

/// A sign-in that has started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInRequest {
    /// The page to open in the browser.
    Browser(AuthorizationRequestView),
    /// The code and the page for another device. The sign-in then completes automatically.
    Device(DeviceSignInView),
    /// Nothing to do: the server connects without a person.
    Unattended,
}

impl From<SignInRequest> for Reply {
    fn from(request: SignInRequest) -> Self {
        match request {
            SignInRequest::Browser(request) => Self::Authorization(Some(request)),
            SignInRequest::Device(device) => Self::Device(device),
            SignInRequest::Unattended => Self::Done,
        }
    }
}
