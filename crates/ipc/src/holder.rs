//! The process that holds the engine.

use serde::{Deserialize, Serialize};

/// The program that holds the engine.
pub enum Holder {
    Command,
    Serve {
        /// Ends the command, because the app wants to run the engine.
        yield_now: Box<dyn Fn() + Send + Sync>,
    },
    App {
        /// Brings the window to the front.
        show_window: Box<dyn Fn() + Send + Sync>,
    },
}

/// The kind of program that holds the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HolderKind {
    /// An `usher` command, which ends when its own work is done.
    Command,
    /// The command `usher serve`, which runs for AI clients until the app starts.
    Serve,
    /// The app, whose window can ask the person.
    App,
}

impl Holder {
    pub(crate) fn kind(&self) -> HolderKind {
        match self {
            Self::Command => HolderKind::Command,
            Self::Serve { .. } => HolderKind::Serve,
            Self::App { .. } => HolderKind::App,
        }
    }
}
