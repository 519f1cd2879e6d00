//! The messages of a server, before rmcp gets them. Results are kept as the server sent them, and a server that exceeds
//! a limit is disconnected.
//!
//! rmcp's types accept only results of the shapes that they know. They lose unknown fields and large numbers, and
//! refuse a whole result for one unexpected field. So rmcp gets an empty result, and the caller reads the text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, future};
use rmcp::model::{ClientJsonRpcMessage, RequestId, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_client::SseError;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sse_stream::Sse;
use tokio_util::sync::CancellationToken;
use usher_budgets as budgets;

use super::fault::Fault;
use super::offers;
use super::progress::Progress;
use super::running_requests::{ResultKind, RunningRequests};
use super::stream_monitor::StreamMonitor;
use crate::program::process::ProcessEnd;

/// The messages of one connection. Clones share their state.
#[derive(Clone, Debug)]
pub(crate) struct Inbound(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    requests: RunningRequests,
    monitor: StreamMonitor,
    /// The server's requests that are not answered yet.
    open: Mutex<HashSet<RequestId>>,
    /// The reason why the connection ended, where it is more specific than a lost connection.
    ending: OnceLock<Ending>,
    /// Cancelled when a value in the headers of the entry may no longer be sent.
    values_withdrawn: CancellationToken,
}

#[derive(Debug)]
enum Ending {
    /// The server exceeded a limit.
    LimitExceeded(String),
    /// The program ended.
    Exited(ProcessEnd),
}

/// The fields that all kinds of messages have, as text.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

/// A request of the server that is being answered. Dropping it counts the request as answered.
pub(crate) struct Answered {
    inbound: Inbound,
    id: RequestId,
}

impl Inbound {
    pub fn new(
        requests: RunningRequests,
        monitor: StreamMonitor,
        values_withdrawn: CancellationToken,
    ) -> Self {
        let (open, ending) = (Mutex::default(), OnceLock::new());
        Self(Arc::new(Inner { requests, monitor, open, ending, values_withdrawn }))
    }

    /// Returns the monitor of the connection's streams.
    pub fn monitor(&self) -> &StreamMonitor {
        &self.0.monitor
    }

    /// Reads the body of a response.
    pub async fn read(&self, body: Vec<u8>) -> Result<ServerJsonRpcMessage, Fault> {
        match self.admit(Bytes::from(body)).await? {
            Some(message) => parse_message(&message),
            None => Err(Fault::Protocol("the server's response belongs to no request".to_owned())),
        }
    }

    /// Reads the events of a stream. The stream ends when the server exceeds a limit.
    pub fn read_events(
        self,
        events: BoxStream<'static, Result<Sse, SseError>>,
    ) -> BoxStream<'static, Result<Sse, SseError>> {
        let events = events.then(move |event| {
            let inbound = self.clone();
            async move { inbound.read_event(event).await }
        });
        events.take_while(|event| future::ready(event.is_some())).filter_map(future::ready).boxed()
    }

    /// Ends a stream when an event exceeds the limit. The events are not read as messages.
    pub fn limit_events(
        self,
        events: BoxStream<'static, Result<Sse, SseError>>,
    ) -> BoxStream<'static, Result<Sse, SseError>> {
        let limited = events.map(move |event| {
            if let Err(SseError::Body(error)) = &event
                && is_too_large(error.as_ref())
            {
                self.exceed(format!("it sent an event of more than {} bytes", budgets::MESSAGE_BYTES));
            }
            event
        });
        limited.boxed()
    }

    /// Notes that the server's request which this message answers is being answered.
    pub fn answered_by(&self, message: &ClientJsonRpcMessage) -> Option<Answered> {
        let id = match message {
            ClientJsonRpcMessage::Response(response) => Some(response.id.clone()),
            ClientJsonRpcMessage::Error(error) => error.id.clone(),
            ClientJsonRpcMessage::Request(_) | ClientJsonRpcMessage::Notification(_) => None,
        };
        id.map(|id| self.answer(id))
    }

    /// Notes that a request of the server is being answered.
    pub fn answer(&self, id: RequestId) -> Answered {
        Answered { inbound: self.clone(), id }
    }

    /// Returns the fault of a connection that ended: the more specific reason, if there is one.
    pub fn reason_for(&self, fault: Fault) -> Fault {
        match (fault, self.0.ending.get()) {
            (Fault::Lost, Some(Ending::LimitExceeded(limit))) => Fault::LimitExceeded(limit.clone()),
            (Fault::Lost, Some(Ending::Exited(end))) => Fault::Exited(Box::new(end.clone())),
            (fault, Some(Ending::LimitExceeded(_) | Ending::Exited(_)) | None) => fault,
        }
    }

    /// Fails if no further request may be sent. Also the end of a session is not announced, because each request has the
    /// headers of the entry.
    pub fn check_may_send(&self) -> Result<(), Fault> {
        if self.0.values_withdrawn.is_cancelled() { Err(Fault::Lost) } else { Ok(()) }
    }

    /// Reads one message from a line or an event. Returns `None` if it is not a message for Usher.
    pub async fn read_text(&self, line: Bytes) -> Result<Option<ServerJsonRpcMessage>, Fault> {
        match self.admit(line).await {
            Ok(message) => message.map(|message| parse_message(&message)).transpose(),
            Err(fault) => Err(fault),
        }
    }

    /// Notes that a program wrote a line above the limit.
    pub fn line_too_long(&self) {
        self.exceed(format!("it sent a line of more than {} bytes", budgets::MESSAGE_BYTES));
    }

    /// Notes that the server's program has ended.
    pub fn exited(&self, end: ProcessEnd) {
        self.0.monitor.report(Fault::Exited(Box::new(end.clone())));
        let _ = self.0.ending.set(Ending::Exited(end));
    }

    async fn read_event(&self, event: Result<Sse, SseError>) -> Option<Result<Sse, SseError>> {
        let mut event = match event {
            Ok(event) => event,
            Err(SseError::Body(error)) if is_too_large(error.as_ref()) => {
                self.exceed(format!("it sent an event of more than {} bytes", budgets::MESSAGE_BYTES));
                return None;
            }
            Err(error) => return Some(Err(error)),
        };
        let Some(data) = event.data.take() else { return Some(Ok(event)) };
        match self.admit(Bytes::from(data)).await {
            Ok(message) => event.data = message.and_then(|message| String::from_utf8(message.into()).ok()),
            Err(Fault::LimitExceeded(_)) => return None,
            // Some servers send keep-alives and other texts as events. They have no effect.
            Err(fault) => tracing::debug!("ignored an event: {fault}"),
        }
        Some(Ok(event))
    }

    /// Returns the message that rmcp gets, or `None` if it is ignored.
    async fn admit(&self, message: Bytes) -> Result<Option<Bytes>, Fault> {
        let message = without_wrapping(message);
        let envelope: Envelope<'_> =
            serde_json::from_slice(&message).map_err(|error| not_json_rpc(&error))?;
        if envelope.method.as_deref() == Some("notifications/progress")
            && envelope.id.is_none()
            && message.len() <= budgets::SERVER_REQUEST_BYTES
        {
            if let Some(params) = envelope.params {
                self.0.requests.note_progress(Progress::new(text_of(&message, params))).await;
            }
            return Ok(None);
        }
        if envelope.method.is_some() {
            return self.admit_from_server(&message, &envelope);
        }
        if let (Some(id), Some(result)) = (envelope.id, envelope.result)
            && let Ok(request) = serde_json::from_str(id.get())
            && let Some(kind) = self.0.requests.set_result(&request, text_of(&message, result)).await
        {
            return Ok(Some(stand_in(id, kind, result)));
        }
        if message.len() > budgets::PARSED_BYTES {
            let limit = budgets::PARSED_BYTES;
            return Err(Fault::Protocol(format!("the server's response is larger than {limit} bytes")));
        }
        Ok(Some(message))
    }

    /// Admits a request or notification of the server.
    fn admit_from_server(&self, message: &Bytes, envelope: &Envelope<'_>) -> Result<Option<Bytes>, Fault> {
        let is_large = message.len() > budgets::SERVER_REQUEST_BYTES;
        let Some(id) = envelope.id else {
            if is_large {
                tracing::debug!(bytes = message.len(), "ignored a large notification");
                return Ok(None);
            }
            self.note_withdrawal(envelope);
            return Ok(Some(message.clone()));
        };
        if id.get().len() > budgets::REQUEST_ID_BYTES {
            let limit = budgets::REQUEST_ID_BYTES;
            return Err(self.exceed(format!("the id of its request has more than {limit} bytes")));
        }
        let Ok(request) = serde_json::from_str::<RequestId>(id.get()) else { return Ok(None) };
        let mut open = self.open();
        open.insert(request);
        if open.len() > budgets::OPEN_SERVER_REQUESTS {
            open.clear();
            let limit = budgets::OPEN_SERVER_REQUESTS;
            return Err(self.exceed(format!("it sent more than {limit} requests at once")));
        }
        if is_large {
            // Without its parameters, rmcp rejects it. The server then need not wait for an answer.
            let method = envelope.method.as_deref().unwrap_or_default();
            return Ok(Some(object(&[("id", id.get()), ("method", &Value::from(method).to_string())])));
        }
        Ok(Some(message.clone()))
    }

    /// Notes that the server no longer waits for the answer to a request.
    fn note_withdrawal(&self, envelope: &Envelope<'_>) {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Cancelled {
            request_id: RequestId,
        }
        if envelope.method.as_deref() == Some("notifications/cancelled")
            && let Some(params) = envelope.params
            && let Ok(cancelled) = serde_json::from_str::<Cancelled>(params.get())
        {
            self.open().remove(&cancelled.request_id);
        }
    }

    /// Disconnects the server. Returns the fault for its running request.
    fn exceed(&self, limit: String) -> Fault {
        self.0.monitor.report(Fault::LimitExceeded(limit.clone()));
        let _ = self.0.ending.set(Ending::LimitExceeded(limit.clone()));
        Fault::LimitExceeded(limit)
    }

    fn open(&self) -> MutexGuard<'_, HashSet<RequestId>> {
        self.0.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        self.inbound.open().remove(&self.id);
    }
}

/// Parses a message for rmcp. Some servers send an `error` of null beside the result.
fn parse_message(message: &[u8]) -> Result<ServerJsonRpcMessage, Fault> {
    let error = match serde_json::from_slice(message) {
        Ok(message) => return Ok(message),
        Err(error) => error,
    };
    let corrected = serde_json::from_slice(message).ok().and_then(|mut message: Value| {
        let fields = message.as_object_mut()?;
        fields.get("error").is_some_and(Value::is_null).then(|| fields.remove("error"));
        serde_json::from_value(message).ok()
    });
    corrected.ok_or_else(|| not_json_rpc(&error))
}

/// Removes what some servers put around a message: a byte order mark, or an array.
fn without_wrapping(message: Bytes) -> Bytes {
    let text = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&message);
    let inner = match serde_json::from_slice::<[&RawValue; 1]>(text) {
        Ok([inner]) => inner.get().as_bytes(),
        Err(_) => text,
    };
    message.slice_ref(inner)
}

/// Returns the response that rmcp gets in place of a result. It contains the tools whose arguments rmcp sends as
/// headers too.
fn stand_in(id: &RawValue, kind: ResultKind, result: &RawValue) -> Bytes {
    let result = match kind {
        ResultKind::Tools => {
            let tools = Value::from(offers::tools_with_headers(result));
            serde_json::json!({ "resultType": "complete", "tools": tools, "ttlMs": 0, "cacheScope": "private" })
        }
        ResultKind::Other => serde_json::json!({}),
    };
    object(&[("id", id.get()), ("result", &result.to_string())])
}

/// Returns a JSON-RPC message with these fields, whose values are JSON text.
fn object(fields: &[(&str, &str)]) -> Bytes {
    let fields: String = fields.iter().map(|(name, json)| format!(",\"{name}\":{json}")).collect();
    Bytes::from(format!("{{\"jsonrpc\":\"2.0\"{fields}}}"))
}

/// Returns the text of a part. It shares the memory of the message, unless most of the message is something else.
fn text_of(message: &Bytes, part: &RawValue) -> Bytes {
    let text = part.get().as_bytes();
    if text.len() < message.len() / 2 { Bytes::copy_from_slice(text) } else { message.slice_ref(text) }
}

fn not_json_rpc(error: &serde_json::Error) -> Fault {
    Fault::Protocol(format!("the server's response is not a JSON-RPC message ({error})"))
}

fn is_too_large(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::FileTooLarge)
}
