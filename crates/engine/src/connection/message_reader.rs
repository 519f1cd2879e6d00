//! Reads the messages of a channel without responses of its own: the lines of a program, or the events of HTTP+SSE.

use bytes::Bytes;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, ServerJsonRpcMessage};

use super::discovery::{Discovery, unknown_method};
use super::fault::Fault;
use super::inbound::{Answered, Inbound};

/// The state of reading a channel.
pub(super) struct MessageReader {
    pub inbound: Inbound,
    pub discovery: Discovery,
    /// The text that is being read. It is kept until it is read, because rmcp drops `receive` at other events.
    current: Option<Bytes>,
}

impl MessageReader {
    pub fn new(inbound: Inbound) -> Self {
        Self { inbound, discovery: Discovery::default(), current: None }
    }

    /// Notes that a message is being sent. The result is kept until it is sent.
    pub fn note_sent(&mut self, message: &ClientJsonRpcMessage) -> Option<Answered> {
        if let ClientJsonRpcMessage::Request(request) = message
            && matches!(request.request, ClientRequest::DiscoverRequest(_))
        {
            self.discovery.begin(request.id.clone());
        }
        self.inbound.answered_by(message)
    }

    /// Returns the text that was not read completely.
    pub fn interrupted(&mut self) -> Option<Bytes> {
        self.current.take()
    }

    /// Returns the response in place of the one to `server/discover`, whose deadline has passed.
    pub fn time_out(&mut self) -> Option<ServerJsonRpcMessage> {
        self.discovery.time_out().map(unknown_method)
    }

    /// Reads a text. Returns `None` if it is not a message for Usher. Fails if the server exceeded a limit.
    pub async fn read(&mut self, text: Bytes) -> Result<Option<ServerJsonRpcMessage>, Fault> {
        self.current = Some(text.clone());
        let read = self.inbound.read_text(text).await;
        self.current = None;
        match read {
            Ok(Some(message)) if self.discovery.is_late(&message) => Ok(None),
            Ok(message) => Ok(message.map(|message| self.discovery.interpret(message))),
            Err(fault @ Fault::LimitExceeded(_)) => Err(fault),
            // Many programs write logs to stdout, although the specification forbids it.
            Err(fault) => {
                tracing::debug!(%fault, "ignored a text that is not a message");
                Ok(None)
            }
        }
    }
}
