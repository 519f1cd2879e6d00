//! The older transport HTTP+SSE (MCP 2024-11-05): messages are posted to an address that the server's stream names, and
//! all responses come on that stream.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use rmcp::model::ClientJsonRpcMessage;
use rmcp::service::{RoleClient, RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use sse_stream::Sse;
use tokio::sync::mpsc;
use url::Url;
use usher_budgets as budgets;

use super::adapter::Deadline;
use super::authorized::Authorized;
use super::streamable::{Events, StreamableHttp};
use crate::connection::fault::Fault;
use crate::connection::inbound::Inbound;
use crate::connection::message_reader::MessageReader;

/// The time that the server has to name the address for messages.
const ENDPOINT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends messages to the address that the stream named last.
#[derive(Clone)]
struct Poster {
    http: StreamableHttp,
    authorized: Authorized,
    headers: HeaderMap,
    address: Arc<Mutex<Url>>,
    inbound: Inbound,
    /// Responses that came in the body of a POST, as some servers send them.
    responses: mpsc::Sender<Bytes>,
}

/// The channel over one stream. The session ends with the stream.
pub(crate) struct SseChannel {
    events: Events,
    responses: mpsc::Receiver<Bytes>,
    poster: Poster,
    /// The address of the stream.
    url: Url,
    reader: MessageReader,
}

/// The next input of a channel.
enum Next {
    Event(Sse),
    /// A message that came in the body of a response, or that was not read completely.
    Message(Bytes),
    DiscoveryTimedOut,
    End,
}

impl SseChannel {
    /// Opens the stream, and waits until the server names the address for messages.
    pub async fn open(
        http: StreamableHttp,
        url: Url,
        authorized: Authorized,
        headers: HeaderMap,
        inbound: Inbound,
    ) -> Result<Self, Fault> {
        let get = authorized.run(|token| {
            let (http, headers, inbound) = (http.clone(), headers.clone(), &inbound);
            async move {
                inbound.check_may_send()?;
                http.get(None, None, token.as_ref(), headers).await
            }
        });
        let Some(mut events) = get.await? else {
            return Err(Fault::Status { status: 405, retry_after: None });
        };
        let endpoint = async {
            while let Some(event) = events.next().await {
                let event = event.map_err(|_| Fault::Lost)?;
                if let Some(address) = endpoint_of(&event) {
                    return same_origin(&url, address);
                }
            }
            Err(no_address())
        };
        let endpoint = tokio::time::timeout(ENDPOINT_TIMEOUT, endpoint).await;
        let address = endpoint.unwrap_or_else(|_| Err(no_address()))?;
        let (sender, responses) = mpsc::channel(budgets::OPEN_SERVER_REQUESTS);
        let address = Arc::new(Mutex::new(address));
        let poster =
            Poster { http, authorized, headers, address, inbound: inbound.clone(), responses: sender };
        // From here on, the limits on messages apply.
        let events = inbound.clone().limit_events(events);
        Ok(Self { events, responses, poster, url, reader: MessageReader::new(inbound) })
    }

    async fn next(&mut self) -> Next {
        tokio::select! {
            event = self.events.next() => match event {
                Some(Ok(event)) => Next::Event(event),
                Some(Err(_)) | None => Next::End,
            },
            Some(response) = self.responses.recv() => Next::Message(response),
            () = self.reader.discovery.expired() => Next::DiscoveryTimedOut,
        }
    }
}

impl Transport<RoleClient> for SseChannel {
    type Error = Fault;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Fault>> + Send + 'static {
        let answered = self.reader.note_sent(&message);
        let poster = self.poster.clone();
        async move {
            let _answered = answered;
            poster.post(&message).await
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        loop {
            let next = match self.reader.interrupted() {
                Some(text) => Next::Message(text),
                None => self.next().await,
            };
            let text = match next {
                Next::Event(event) => {
                    match endpoint_of(&event).map(|address| same_origin(&self.url, address)) {
                        Some(Ok(address)) => {
                            *self.poster.address.lock().unwrap_or_else(PoisonError::into_inner) = address;
                            continue;
                        }
                        Some(Err(fault)) => {
                            self.reader.inbound.monitor().report(fault);
                            return None;
                        }
                        None => match event.data {
                            Some(data) if !data.trim().is_empty() => Bytes::from(data),
                            Some(_) | None => continue,
                        },
                    }
                }
                Next::Message(response) => response,
                Next::DiscoveryTimedOut => match self.reader.time_out() {
                    Some(message) => return Some(message),
                    None => continue,
                },
                Next::End => return None,
            };
            match self.reader.read(text).await {
                Ok(Some(message)) => return Some(message),
                Ok(None) => {}
                Err(_) => return None,
            }
        }
    }

    async fn close(&mut self) -> Result<(), Fault> {
        Ok(())
    }
}

impl Poster {
    /// Posts a message. A request whose token is rejected is posted again with a new token.
    async fn post(&self, message: &ClientJsonRpcMessage) -> Result<(), Fault> {
        let address = self.address.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let exchange = self.authorized.run(|token| {
            let (http, address, headers) = (self.http.clone(), address.clone(), self.headers.clone());
            async move {
                self.inbound.check_may_send()?;
                http.post_to(address, message, token.as_ref(), headers).await
            }
        });
        let posted = match Deadline::for_message(message) {
            // Some servers hold the response to a POST until the tool has finished.
            Deadline::Caller => exchange.await,
            Deadline::Discover(_) | Deadline::Response => {
                let posted = tokio::time::timeout(budgets::RESPONSE_TIMEOUT, exchange).await;
                posted.unwrap_or(Err(Fault::TimedOut(budgets::RESPONSE_TIMEOUT.as_secs())))
            }
        };
        match posted {
            Ok(Some(body)) => {
                // Fails only if the channel was closed.
                let _ = self.responses.send(Bytes::from(body)).await;
                Ok(())
            }
            Ok(None) => Ok(()),
            // The server no longer knows the session.
            Err(Fault::Status { status: 404, .. }) => Err(Fault::Lost),
            Err(fault) => Err(fault),
        }
    }
}

/// The fault of a stream of another kind, such as one of streamable HTTP.
fn no_address() -> Fault {
    Fault::violation("its stream names no address for messages")
}

/// Returns the data of the event that names the address for messages.
fn endpoint_of(event: &Sse) -> Option<&str> {
    event.data.as_deref().filter(|_| event.event.as_deref() == Some("endpoint"))
}

/// Resolves the address for messages. Another origin would get the person's token.
fn same_origin(stream: &Url, address: &str) -> Result<Url, Fault> {
    let resolved =
        stream.join(address.trim()).ok().filter(|url| url.as_str().len() <= budgets::ADDRESS_BYTES);
    let Some(resolved) = resolved else {
        return Err(Fault::violation("the address for messages is not a URL"));
    };
    if resolved.origin() == stream.origin() {
        return Ok(resolved);
    }
    let other = usher_config::display_text(&resolved.origin().ascii_serialization(), 200);
    Err(Fault::Protocol(format!("the server's stream asks for messages at {other}, another origin")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_go_only_to_the_origin_of_the_stream() {
        let stream = Url::parse("https://mcp.example.com/api/sse?key=1").expect("an address");
        for (address, expected) in [
            ("/messages?session=2", Some("https://mcp.example.com/messages?session=2")),
            ("messages?session=2", Some("https://mcp.example.com/api/messages?session=2")),
            ("https://mcp.example.com/m", Some("https://mcp.example.com/m")),
            ("http://mcp.example.com/m", None),
            ("https://mcp.example.com:8443/m", None),
            ("//evil.example/m", None),
            ("javascript:alert(1)", None),
        ] {
            let resolved = same_origin(&stream, address).ok();
            assert_eq!(resolved.as_ref().map(Url::as_str), expected, "{address}");
        }
    }
}
