//! Notifies clients that a list changed: subscribers (2026-07-28) and sessions (the `initialize` era).

use std::time::Duration;

use rmcp::ErrorData;
use rmcp::service::{Peer, RoleServer, SubscriptionContext};
use tokio::sync::broadcast::{self, Receiver, Sender, error::RecvError};

/// The number of buffered announcements. A slow client may miss older ones, which does no harm.
const BACKLOG: usize = 16;
/// The interval of checks for a closed session.
const SESSION_CHECK: Duration = Duration::from_secs(30);

/// One of the MCP server's lists.
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
        // An error only means that there is no receiver.
        let _ = self.0.send(list);
    }

    pub(crate) fn subscribe(&self) -> Receiver<McpList> {
        self.0.subscribe()
    }
}

/// Notifies one subscriber until the subscription ends.
pub(super) async fn notify_subscriber(
    context: &SubscriptionContext,
    mut announced: Receiver<McpList>,
) -> Result<(), ErrorData> {
    loop {
        let list = tokio::select! {
            () = context.cancelled() => return Ok(()),
            list = announced.recv() => list,
        };
        let sink = context.sink();
        // The sink rejects lists that the client did not subscribe to.
        let _ = match list {
            Ok(McpList::Tools) => sink.notify_tool_list_changed().await,
            Ok(McpList::Resources) => sink.notify_resource_list_changed().await,
            Ok(McpList::Prompts) => sink.notify_prompt_list_changed().await,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return Ok(()),
        };
    }
}

/// Notifies one session until it ends.
pub(super) async fn notify_session(peer: Peer<RoleServer>, mut announced: Receiver<McpList>) {
    while !peer.is_transport_closed() {
        let Ok(list) = tokio::time::timeout(SESSION_CHECK, announced.recv()).await else { continue };
        let sent = match list {
            Ok(McpList::Tools) => peer.notify_tool_list_changed().await,
            Ok(McpList::Resources) => peer.notify_resource_list_changed().await,
            Ok(McpList::Prompts) => peer.notify_prompt_list_changed().await,
            Err(RecvError::Lagged(_)) => continue,
            Err(RecvError::Closed) => return,
        };
        if sent.is_err() {
            return;
        }
    }
}
