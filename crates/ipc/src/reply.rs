//! What the engine answers, as it crosses the socket.

use serde::{Deserialize, Serialize};
use usher_engine::{
    AuthorizationRequestView, ConfigView, PromptView, ResourceView, ServerId, Snapshot, ToolCallView,
    ToolView,
};

/// The answer to a [`crate::Request`] that was not refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    Done,
    Snapshot(Box<Snapshot>),
    /// The name that a server was added by, or the server whose sign-in was completed.
    Server(ServerId),
    /// `None` where no sign-in waits.
    Authorization(Option<AuthorizationRequestView>),
    Tools(Vec<ToolView>),
    Resources(Vec<ResourceView>),
    Prompts(Vec<PromptView>),
    ToolCall(ToolCallView),
    Config(ConfigView),
}
