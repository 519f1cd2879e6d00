//! A server's state.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{ErrorView, RedirectKind};

/// The state of a server. ARCHITECTURE.md lists the transitions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Status {
    Disabled,
    /// The person paused all servers (see `Snapshot::paused`).
    Paused,
    Connecting,
    NeedsSignIn {
        reason: NeedsSignIn,
    },
    SigningIn {
        step: SignInStep,
        /// The host of the page in the browser, once it is known.
        host: Option<String>,
        redirect: Option<RedirectKind>,
        /// The time at which the browser was opened.
        opened: Option<Timestamp>,
        /// The time at which the sign-in times out.
        expires_at: Option<Timestamp>,
        /// The redirect to try next when the page in the browser shows an error.
        next_redirect: Option<RedirectKind>,
        /// Whether the next attempt repeats the redirect without the `prompt` parameter, which the page may reject.
        #[serde(default)]
        next_omits_prompt: bool,
        /// The code and the page of a sign-in on another device.
        #[serde(default)]
        device: Option<DeviceSignInView>,
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
    /// An error that usually requires action by the person.
    Failed {
        error: ErrorView,
    },
}

/// The reason that a server needs a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum NeedsSignIn {
    NeverSignedIn,
    Expired,
    /// The person or the authorization server denied the request.
    Denied,
    InsufficientScope,
    /// The authorization server no longer knows Usher's client ID.
    RegistrationLost,
    /// A crash, a quit or the network interrupted a refresh, and the authorization server rejects the old token.
    RefreshInterrupted,
    /// The authorization server rejects refreshes. The grant is kept, and a refresh is tried again every hour.
    RefreshRejected,
    SignedOut,
}

/// The step that a sign-in has reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    Discovering,
    Registering,
    WaitingForBrowser,
    /// The person enters a code on another device.
    WaitingForDevice,
    Exchanging,
    /// The grant is stored; the first list request is running.
    Connecting,
}

/// A sign-in that waits until the person has entered a code on another device (RFC 8628).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "specta", derive(specta::Type))]
pub struct DeviceSignInView {
    /// The code to enter. It contains nothing invisible.
    pub user_code: String,
    /// The page to enter it on. It is validated: https (or http on a loopback host), with no userinfo.
    pub verification_uri: String,
    /// The page with the code already entered, at the same site. The person should still compare the code.
    pub verification_uri_complete: Option<String>,
    /// The host of the page.
    pub host: String,
    /// The time at which the code expires.
    pub expires_at: Timestamp,
}
