//! The older transport HTTP+SSE (MCP 2024-11-05): a stream names an address for messages, and carries all responses.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, Sse};
use futures::channel::mpsc;
use futures::{SinkExt, Stream, StreamExt, stream};
use rmcp::ServiceExt;
use rmcp::model::ClientJsonRpcMessage;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::McpServer;
use super::sse_sessions::WAITING_MESSAGES;
use crate::service::Service;

/// The address for messages.
pub(crate) const MESSAGES_PATH: &str = "/messages";
#[derive(Deserialize)]
pub(crate) struct Session {
    session: String,
}

/// Removes a session when its stream ends, which also ends its MCP server.
struct Open {
    service: Arc<Service>,
    id: String,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.service.sse_sessions.close(&self.id);
    }
}

/// Opens a session and its stream.
pub(crate) async fn open(
    State((service, stopping)): State<(Arc<Service>, CancellationToken)>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let (to_client, from_server) = mpsc::channel(WAITING_MESSAGES);
    let (id, from_client) = service.sse_sessions.open();
    let open = Open { service: Arc::clone(&service), id };
    let address = Event::default().event("endpoint").data(format!("{MESSAGES_PATH}?session={}", open.id));
    tokio::spawn(async move {
        // Fails if the client leaves before the handshake is complete.
        if let Ok(running) = McpServer::new(service).serve((to_client, from_client)).await {
            let _ = running.waiting().await;
        }
    });
    let messages = from_server.map(move |message| {
        let _open = &open;
        // A message of rmcp can always be serialised.
        Event::default().event("message").json_data(&message).unwrap_or_default()
    });
    let events = stream::once(std::future::ready(address)).chain(messages);
    Sse::new(events.map(Ok).take_until(stopping.cancelled_owned()))
}

/// Receives a message of a session.
pub(crate) async fn receive(
    State((service, _)): State<(Arc<Service>, CancellationToken)>,
    Query(Session { session }): Query<Session>,
    Json(message): Json<ClientJsonRpcMessage>,
) -> StatusCode {
    let Some(mut server) = service.sse_sessions.get(&session) else {
        return StatusCode::NOT_FOUND;
    };
    match server.send(message).await {
        Ok(()) => StatusCode::ACCEPTED,
        Err(_) => StatusCode::NOT_FOUND,
    }
}
