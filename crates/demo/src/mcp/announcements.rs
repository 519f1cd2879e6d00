//! Telling clients that a list changed: those that listen (2026-07-28), and every session (the `initialize` eras).

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::service::{Peer, RoleServer, SubscriptionContext};
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

/// Announcements that a slow client may fall behind; one more or less says nothing new.
const BACKLOG: usize = 16;
/// How often it is looked whether a session is still there, where nothing is announced.
const LOOK: Duration = Duration::from_secs(30);

/// A list of the MCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McpList {
    /// `tools/list`.
    Tools,
    /// `resources/list`.
    Resources,
    /// `prompts/list`.
    Prompts,
}

pub(crate) struct Announcements(Sender<McpList>);

impl Default for Announcements {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Announcements {
    pub(crate) fn announce(&self, list: McpList) {
        // Nobody listening is fine.
        let _ = self.0.send(list);
    }

    pub(crate) fn hear(&self) -> Receiver<McpList> {
        self.0.subscribe()
    }
}

/// Until the client ends its subscription.
pub(super) async fn tell_listener(
    context: &SubscriptionContext,
    mut announced: Receiver<McpList>,
) -> Result<(), ErrorData> {
    loop {
        let list = tokio::select! {
            () = context.cancelled() => return Ok(()),
            list = announced.recv() => list,
        };
        let sink = context.sink();
        // What a client did not ask for is refused by the sink, and that is right.
        let _ = match list {
            Ok(McpList::Tools) => sink.notify_tool_list_changed().await,
            Ok(McpList::Resources) => sink.notify_resource_list_changed().await,
            Ok(McpList::Prompts) => sink.notify_prompt_list_changed().await,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return Ok(()),
        };
    }
}

/// Until the session is over.
pub(super) async fn tell_session(peer: Peer<RoleServer>, mut announced: Receiver<McpList>) {
    while !peer.is_transport_closed() {
        let Ok(list) = tokio::time::timeout(LOOK, announced.recv()).await else { continue };
        let told = match list {
            Ok(McpList::Tools) => peer.notify_tool_list_changed().await,
            Ok(McpList::Resources) => peer.notify_resource_list_changed().await,
            Ok(McpList::Prompts) => peer.notify_prompt_list_changed().await,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if told.is_err() {
            return;
        }
    }
}
