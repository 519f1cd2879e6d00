//! The victim of the kills.

use std::time::Duration;

use crate::store::NAME;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// A command that lists the tools, with an access token that is no longer valid.
    ListCommand,
    /// A command that waits for a tool call, and refreshes its access token before it expires.
    WaitingCommand,
    /// The keychain, while a command lists the tools.
    Keychain,
}

impl Victim {
    /// The number of concurrent workers: a waiting command takes time, but no CPU.
    pub fn workers(self) -> u32 {
        match self {
            Self::ListCommand | Self::Keychain => 2,
            Self::WaitingCommand => 6,
        }
    }

    pub fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::ListCommand | Self::Keychain => &["tools", NAME],
            Self::WaitingCommand => &["call", NAME, "wait", "--timeout", "600"],
        }
    }

    pub fn access_token_lifetime(self) -> Duration {
        match self {
            Self::ListCommand | Self::Keychain => Duration::from_secs(3600),
            Self::WaitingCommand => Duration::from_secs(4),
        }
    }
}
