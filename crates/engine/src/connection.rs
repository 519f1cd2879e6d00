//! A live MCP connection over any channel: the handshake, the lists, the calls. Every wait has a deadline.

mod call;
pub(crate) mod call_result;
mod client_handler;
mod discovery;
pub(crate) mod display;
pub(crate) mod elicitation;
pub(crate) mod fault;
pub(crate) mod http;
pub(crate) mod inbound;
pub(crate) mod introduction;
mod json;
pub(crate) mod list_changes;
mod lists;
mod message_reader;
pub(crate) mod offers;
pub(crate) mod operation;
mod page_visits;
mod pagination;
pub(crate) mod parts;
pub(crate) mod progress;
pub(crate) mod rmcp_error;
pub(crate) mod rpc_error;
mod running_requests;
pub(crate) mod stdio;
mod stream_monitor;
mod subscription;
pub(crate) mod watch;

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rmcp::model::ProtocolVersion;
use rmcp::service::{ClientLifecycleMode, Peer, RoleClient, serve_client_with_lifecycle_and_ct};
use rmcp::transport::IntoTransport;
use secrecy::SecretString;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::credentials::Credentials;
use client_handler::ClientHandler;
use fault::Fault;
use inbound::Inbound;
use introduction::Introduction;
use list_changes::ListChanges;
use lists::Listing;
use offers::Offer;
use parts::ConnectionParts;
use rmcp_error::from_initialize;

pub(crate) use call::CallTerms;

/// How a connection begins.
pub(crate) enum Handshake {
    /// `server/discover`, or `initialize` with this revision if the server does not support it.
    Detect(ProtocolVersion),
    /// Only `server/discover`.
    Discover,
    /// Only `initialize`.
    Initialize,
}

/// A connection. Dropping it closes it.
#[derive(Debug)]
pub(crate) struct Connection {
    peer: Peer<RoleClient>,
    client: ClientHandler,
    inbound: Inbound,
    listing: Mutex<Option<Listing>>,
    credentials: Option<Credentials>,
    closing: CancellationToken,
    _close_on_drop: DropGuard,
    closed: CancellationToken,
}

/// A connection over which the tools were listed.
pub(crate) struct Opened {
    pub connection: Arc<Connection>,
    pub tools: Arc<Vec<Offer>>,
}

impl Connection {
    /// Performs the handshake.
    pub async fn open<T, E, A>(
        channel: T,
        parts: &ConnectionParts,
        credentials: Option<Credentials>,
        handshake: Handshake,
    ) -> Result<Self, Fault>
    where
        T: IntoTransport<RoleClient, E, A>,
        E: Error + Send + Sync + 'static,
    {
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        let lifecycle = match handshake {
            Handshake::Detect(revision) => {
                ClientLifecycleMode::Auto { preferred_versions, legacy_version: Some(revision) }
            }
            Handshake::Discover => ClientLifecycleMode::Discover { preferred_versions },
            Handshake::Initialize => ClientLifecycleMode::Initialize,
        };
        let (client, inbound) = (parts.client.clone(), parts.inbound.clone());
        let closing = CancellationToken::new();
        let close_on_drop = closing.clone().drop_guard();
        let service = serve_client_with_lifecycle_and_ct(client.clone(), channel, lifecycle, closing.clone())
            .await
            .map_err(|error| inbound.reason_for(from_initialize(error)))?;
        let peer = service.peer().clone();
        let closed = CancellationToken::new();
        let close = closed.clone().drop_guard();
        tokio::spawn(async move {
            let _ = service.waiting().await;
            drop(close);
        });
        Ok(Self {
            peer,
            client,
            inbound,
            listing: Mutex::default(),
            credentials,
            closing,
            _close_on_drop: close_on_drop,
            closed,
        })
    }

    /// Returns the MCP version in use.
    pub fn protocol(&self) -> String {
        self.peer.peer_info().map(|info| info.protocol_version.as_str().to_owned()).unwrap_or_default()
    }

    /// Returns the server's own title or, if there is none, its name.
    pub fn title(&self) -> Option<String> {
        let info = self.peer.peer_info()?;
        let implementation = info.server_info.as_ref()?;
        let title = implementation.title.as_ref().unwrap_or(&implementation.name);
        (!title.is_empty()).then(|| title.clone())
    }

    /// Returns how the server introduces itself.
    pub fn introduction(&self) -> Introduction {
        let Some(info) = self.peer.peer_info() else { return Introduction::default() };
        let capabilities = match serde_json::to_value(&info.capabilities) {
            Ok(serde_json::Value::Object(capabilities)) => capabilities,
            Ok(_) | Err(_) => serde_json::Map::new(),
        };
        Introduction { title: self.title(), instructions: info.instructions.clone(), capabilities }
    }

    /// Closes the connection. Waits at most `deadline` for the server to be notified.
    pub async fn close(&self, deadline: Duration) {
        self.closing.cancel();
        let _ = tokio::time::timeout(deadline, self.closed.cancelled()).await;
    }

    /// Closes the connection and ends its calls. Does not wait.
    pub fn close_now(&self) {
        self.closing.cancel();
    }

    /// Returns a token that is cancelled when the connection has ended.
    pub fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Handles the server's notifications in the background until the connection ends.
    pub fn subscribe(&self, changes: Arc<ListChanges>) {
        let (peer, monitor, closed) =
            (self.peer.clone(), self.inbound.monitor().clone(), self.closed.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = closed.cancelled() => {}
                () = subscription::follow(peer, &changes, &monitor) => {}
            }
        });
    }

    /// Returns the token that a request would carry now, without reading the store.
    pub fn cached_token(&self) -> Option<SecretString> {
        self.credentials.as_ref()?.cached_token().map(|token| token.secret().clone())
    }

    /// Returns a token other than the rejected one, or `None` if there is no way to get one.
    pub async fn refresh(&self, rejected: &SecretString) -> Result<Option<SecretString>, Fault> {
        let Some(credentials) = &self.credentials else { return Ok(None) };
        Ok(credentials.refresh(rejected).await?.map(|token| token.secret().clone()))
    }
}
