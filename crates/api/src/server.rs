//! One server of `mcp.json`, as the front ends show it.

use serde::{Deserialize, Serialize};

use crate::{AuthView, Code, ErrorView, NeedsSignIn, ProgramView, Status};

/// A server's name, unique in `mcp.json`. It is untrusted: it is never used as a path, and is sanitised for display.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(transparent)]
pub struct ServerId(pub String);

impl std::fmt::Display for ServerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// One server with its state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct ServerView {
    pub id: ServerId,
    /// The person's name for the server: the entry's `title`, the catalogue's name at the address of that entry, or the
    /// id; sanitised for display. It does not depend on the server.
    pub name: String,
    /// The person's note about the server (`description` in `mcp.json`); sanitised for display.
    #[serde(default)]
    pub description: Option<String>,
    /// The picture that the person chose (`icon` in `mcp.json`): the slug of a service in the catalogue, or up to 8
    /// characters such as an emoji; sanitised for display.
    #[serde(default)]
    pub icon: Option<String>,
    /// The title that the server gives itself; sanitised for display, and `None` if it is misleading. It is shown only
    /// beside the name and marked as the server's own.
    pub title: Option<String>,
    /// The service's slug, if the catalogue contains the address. The slug selects the logo.
    pub catalogue: Option<String>,
    /// The address, or the command of a local program without its arguments.
    pub address: String,
    pub transport: TransportKind,
    pub status: Status,
    pub auth: AuthView,
    /// The permission that the server asked for and that is not granted yet. The next sign-in requests it.
    pub permission: Option<PermissionView>,
    pub last_error: Option<ErrorView>,
    /// The hosts that the person has to confirm before a sign-in.
    #[serde(default)]
    pub endpoints_to_confirm: Option<EndpointsView>,
    /// Whether the authorization server offers a sign-in on another device, as far as is known.
    #[serde(default)]
    pub offers_device: bool,
    /// The action that the server needs from the person.
    pub wants: Option<Want>,
    /// The secrets that the entry in `mcp.json` sends to origins for which the person has not allowed them. Usher sends
    /// nothing to the server before the person allows all of them.
    pub secret_requests: Vec<SecretRequestView>,
    /// The local program behind the server; `None` for a server with an address.
    #[serde(default)]
    pub program: Option<ProgramView>,
    /// Whether the person forbade the server to ask questions. They are then declined at once.
    pub questions_blocked: bool,
    /// Whether the entry is one of the disabled examples that Usher writes into a new `mcp.json`, and unchanged.
    #[serde(default)]
    pub is_example: bool,
    /// The position of the first error in the entry, if it has one. The status is then `failed` with the code
    /// `config_invalid`, and the server cannot be used. Its grant and secrets are kept.
    #[serde(default)]
    pub entry_error: Option<EntryErrorView>,
}

/// The position of an error in `mcp.json`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EntryErrorView {
    /// The line, counted from 1.
    pub line: u32,
    /// The column in characters, counted from 1.
    pub column: u32,
}

impl ServerView {
    /// Returns whether the server is connected without a sign-in, and offers one because some requests need it.
    pub fn is_connected_without_sign_in(&self) -> bool {
        let is_signed_out = matches!(self.auth, AuthView::OAuth { signed_in: false, .. });
        is_signed_out && matches!(self.status, Status::Connected { .. })
    }
}

/// An action that a server needs from the person before it works fully.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum Want {
    SignIn,
    Permission,
    /// The person must allow a secret for an origin, or correct `mcp.json`.
    AllowSecret,
    /// The person must approve a local program before it runs.
    Approve,
}

impl Want {
    /// Derives the value from the other fields of a view. A connected server may also need an action, if a call lacks a
    /// permission or a tool's result rejected the token.
    pub fn of(
        status: &Status,
        permission: Option<&PermissionView>,
        last_error: Option<&ErrorView>,
    ) -> Option<Self> {
        let failed_with = |code: Code| last_error.is_some_and(|error| error.code == code);
        match status {
            Status::NeedsSignIn { reason: NeedsSignIn::InsufficientScope } => Some(Self::Permission),
            Status::NeedsSignIn { .. } => Some(Self::SignIn),
            Status::Connecting
            | Status::Reconnecting { .. }
            | Status::Connected { .. }
            | Status::SigningIn { .. }
                if permission.is_some() =>
            {
                Some(Self::Permission)
            }
            Status::Connected { .. } if failed_with(Code::InsufficientScope) => Some(Self::Permission),
            Status::Connected { .. } if failed_with(Code::SignInRequired) => Some(Self::SignIn),
            Status::Failed { error } if error.code == Code::SecretNotAllowed => Some(Self::AllowSecret),
            Status::Failed { error } if error.code == Code::ApprovalNeeded => Some(Self::Approve),
            Status::Connected { .. }
            | Status::Connecting
            | Status::Reconnecting { .. }
            | Status::SigningIn { .. }
            | Status::Failed { .. }
            | Status::Disabled
            | Status::Paused => None,
        }
    }
}

/// The hosts of an authorization server whose endpoints belong to another site than its issuer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct EndpointsView {
    pub issuer: String,
    /// The host of the page that the browser opens.
    pub page: String,
    /// The host that gets the result of the sign-in.
    pub token: String,
    /// Those of the two hosts that belong to another site. The person confirms them.
    pub foreign: Vec<String>,
}

/// Scopes that a server asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct PermissionView {
    /// As the server wrote them; empty if it named none.
    pub scopes: Vec<String>,
    /// The title of the tool whose call waits for the permission; `None` when the connection itself waits.
    pub tool_title: Option<String>,
}

/// A secret that `mcp.json` sends to an origin for which the person has not allowed it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct SecretRequestView {
    /// The placeholder as `mcp.json` has it: `{{name}}` for a named secret, `${VAR}` for an environment variable.
    pub secret: String,
    /// The origin to which it would be sent, such as `https://mcp.example.com`.
    pub origin: String,
    /// The origins for which it is allowed.
    pub allowed_origins: Vec<String>,
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

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_connected_server_may_need_an_action_and_a_disabled_one_needs_none() {
        let connected =
            Status::Connected { since: Timestamp::UNIX_EPOCH, protocol: String::new(), tool_count: 6 };
        let permission = PermissionView { scopes: vec!["write".to_owned()], tool_title: None };
        for (permission, code, want) in [
            (None, None, None),
            (Some(&permission), None, Some(Want::Permission)),
            (None, Some(Code::InsufficientScope), Some(Want::Permission)),
            (None, Some(Code::SignInRequired), Some(Want::SignIn)),
            (Some(&permission), Some(Code::SignInRequired), Some(Want::Permission)),
            (None, Some(Code::Internal), None),
        ] {
            let error = code.map(|code| ErrorView::without_hint(code, "It failed."));
            assert_eq!(Want::of(&connected, permission, error.as_ref()), want, "{code:?}");
            assert_eq!(Want::of(&Status::Disabled, permission, error.as_ref()), None, "{code:?}");
        }
    }
}
