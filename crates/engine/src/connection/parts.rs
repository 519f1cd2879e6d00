//! The parts of a connection that exist before it, because the server may use them during the handshake.

use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;
use usher_api::ServerId;

use super::client_handler::ClientHandler;
use super::elicitation::Elicitations;
use super::fault::Fault;
use super::inbound::Inbound;
use super::page_visits::PageVisits;
use super::running_requests::RunningRequests;
use super::stream_monitor::StreamMonitor;
use super::watch::{Reports, watch};
use super::{Connection, Opened};

/// The parts of one connection.
pub(crate) struct ConnectionParts {
    pub(super) client: ClientHandler,
    /// The reader of the messages from the server. The channel has a clone.
    pub inbound: Inbound,
    faults: UnboundedReceiver<Fault>,
}

impl ConnectionParts {
    /// `extension` is the authorization extension that the entry uses. After `values_withdrawn` is cancelled, an HTTP
    /// connection sends nothing.
    pub fn new(
        server: &ServerId,
        elicitations: &Arc<Elicitations>,
        extension: Option<&'static str>,
        values_withdrawn: CancellationToken,
    ) -> Self {
        let (monitor, faults) = StreamMonitor::new();
        let requests = RunningRequests::default();
        let inbound = Inbound::new(requests.clone(), monitor, values_withdrawn);
        let client = ClientHandler {
            server: server.clone(),
            elicitations: Arc::clone(elicitations),
            requests,
            page_visits: PageVisits::default(),
            changes: Arc::default(),
            extension,
        };
        Self { client, inbound, faults }
    }

    /// Lists the tools of the new connection, and starts to watch it.
    pub async fn complete(self, connection: Connection, reports: &Reports) -> Result<Opened, Fault> {
        let connection = Arc::new(connection);
        let tools = connection.list_tools().await?;
        watch(&connection, self.client.changes, self.faults, Arc::clone(reports));
        Ok(Opened { connection, tools })
    }
}
