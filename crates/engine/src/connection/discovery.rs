//! The request `server/discover`, which servers of older revisions do not know. They expect `initialize`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rmcp::model::{ErrorCode, ErrorData, ProtocolVersion, RequestId, ServerJsonRpcMessage, ServerResult};
use tokio::time::Instant;
use usher_budgets as budgets;

/// The state of one `server/discover` request, which some older servers never answer. Clones share the outcome.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discovery {
    deadline: Option<Instant>,
    request: Option<RequestId>,
    outcome: Arc<Outcome>,
}

#[derive(Debug, Default)]
struct Outcome {
    timed_out: AtomicBool,
    came_late: AtomicBool,
}

impl Discovery {
    /// Notes that the request is being sent.
    pub fn begin(&mut self, request: RequestId) {
        self.deadline = Some(Instant::now() + budgets::DISCOVER_TIMEOUT);
        self.request = Some(request);
    }

    /// Waits for the deadline of the request. Never returns if no request waits for a response.
    pub async fn expired(&self) {
        match self.deadline {
            Some(deadline) => tokio::time::sleep_until(deadline).await,
            None => std::future::pending().await,
        }
    }

    /// Notes that the deadline has passed. Returns the request.
    pub fn time_out(&mut self) -> Option<RequestId> {
        self.deadline = None;
        self.outcome.timed_out.store(true, Ordering::Relaxed);
        self.request.clone()
    }

    /// Returns whether the server supports `server/discover`, but its response came after the deadline. That happens if
    /// the program is downloaded first.
    pub fn came_late(&self) -> bool {
        self.outcome.came_late.load(Ordering::Relaxed)
    }

    /// Returns whether no response came before the deadline.
    pub fn timed_out(&self) -> bool {
        self.outcome.timed_out.load(Ordering::Relaxed)
    }

    /// Returns whether this is the response to the request, after its deadline.
    pub fn is_late(&mut self, message: &ServerJsonRpcMessage) -> bool {
        let is_late = self.deadline.is_none() && self.is_answered_by(message);
        if is_late {
            let is_result = matches!(message, ServerJsonRpcMessage::Response(_));
            self.outcome.came_late.fetch_or(is_result, Ordering::Relaxed);
            self.request = None;
        }
        is_late
    }

    /// Interprets the response to the request for rmcp. Returns any other message unchanged.
    pub fn interpret(&mut self, message: ServerJsonRpcMessage) -> ServerJsonRpcMessage {
        if !self.is_answered_by(&message) {
            return message;
        }
        self.deadline = None;
        match self.request.take() {
            Some(id) => interpret(id, message),
            None => message,
        }
    }

    fn is_answered_by(&self, message: &ServerJsonRpcMessage) -> bool {
        let id = match message {
            ServerJsonRpcMessage::Response(response) => Some(&response.id),
            ServerJsonRpcMessage::Error(error) => error.id.as_ref(),
            ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => None,
        };
        id.is_some() && id == self.request.as_ref()
    }
}

/// Interprets the response to `server/discover`. Everything but a result of this protocol or an error that only
/// servers of this protocol send means that the server expects `initialize`.
pub(super) fn interpret(id: RequestId, response: ServerJsonRpcMessage) -> ServerJsonRpcMessage {
    match response {
        ServerJsonRpcMessage::Response(response) => match response.result {
            ServerResult::DiscoverResult(result)
                if result.supported_versions.contains(&ProtocolVersion::V_2026_07_28) =>
            {
                ServerJsonRpcMessage::response(ServerResult::DiscoverResult(result), id)
            }
            // An unexpected result, or one that lists only versions with `initialize`.
            _ => unknown_method(id),
        },
        ServerJsonRpcMessage::Error(error) if supports_only_older(&error.error) => unknown_method(id),
        // Some middleware does not echo the id of a request that it refuses.
        ServerJsonRpcMessage::Error(error) => ServerJsonRpcMessage::error(error.error, Some(id)),
        ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => unknown_method(id),
    }
}

/// Returns whether the error lists the supported versions and ours is not among them.
fn supports_only_older(error: &ErrorData) -> bool {
    let supported = error.data.as_ref().and_then(|data| data.get("supported")?.as_array());
    let ours = ProtocolVersion::V_2026_07_28;
    error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        && supported
            .is_some_and(|versions| versions.iter().all(|version| version.as_str() != Some(ours.as_str())))
}

/// Returns the response of a server that expects `initialize`. rmcp then sends `initialize`.
pub(super) fn unknown_method(id: RequestId) -> ServerJsonRpcMessage {
    let error = ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "the server does not know server/discover", None);
    ServerJsonRpcMessage::error(error, Some(id))
}
