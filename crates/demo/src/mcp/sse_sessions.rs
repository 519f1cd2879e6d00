//! The open sessions of HTTP+SSE.

use std::collections::HashMap;
use std::sync::Mutex;

use futures::channel::mpsc;
use rmcp::model::ClientJsonRpcMessage;

use crate::memory::lock;

/// The messages that wait in each direction of a session.
pub(super) const WAITING_MESSAGES: usize = 16;

/// The senders of messages to the MCP servers, by the id of the session.
#[derive(Default)]
pub(crate) struct SseSessions(Mutex<HashMap<String, mpsc::Sender<ClientJsonRpcMessage>>>);

impl SseSessions {
    /// Opens a session. Returns its id, and the messages of its client.
    pub(super) fn open(&self) -> (String, mpsc::Receiver<ClientJsonRpcMessage>) {
        let (sender, messages) = mpsc::channel(WAITING_MESSAGES);
        let id = format!("{:032x}", rand::random::<u128>());
        lock(&self.0).insert(id.clone(), sender);
        (id, messages)
    }

    pub(super) fn get(&self, id: &str) -> Option<mpsc::Sender<ClientJsonRpcMessage>> {
        lock(&self.0).get(id).cloned()
    }

    pub(super) fn close(&self, id: &str) {
        lock(&self.0).remove(id);
    }
}
