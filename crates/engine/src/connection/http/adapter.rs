//! The adapter between rmcp's Streamable HTTP transport and our HTTP client.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, RequestId};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::common::client_side_sse::ExponentialBackoff;
use rmcp::transport::streamable_http_client::{
    StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use usher_budgets as budgets;

use super::authorized::Authorized;
use super::discover;
use super::streamable::{Events, PostResponse, StreamableHttp};
use crate::connection::fault::Fault;
use crate::connection::inbound::Inbound;
use crate::credentials::Credentials;

type Error = StreamableHttpError<Fault>;

/// rmcp's HTTP client for one server.
#[derive(Clone, Debug)]
pub(crate) struct HttpAdapter {
    http: StreamableHttp,
    authorized: Authorized,
    /// The resolved headers of `mcp.json`.
    headers: HeaderMap,
    inbound: Inbound,
    /// Whether the server has offered its stream before. A later refusal is then handled as a lost stream.
    had_stream: Arc<AtomicBool>,
}

impl HttpAdapter {
    pub fn new(
        http: StreamableHttp,
        credentials: Option<Credentials>,
        headers: HeaderMap,
        inbound: Inbound,
    ) -> Self {
        let (authorized, had_stream) = (Authorized::new(credentials), Arc::default());
        Self { http, authorized, headers, inbound, had_stream }
    }

    /// Returns the channel for an MCP connection to `uri`.
    pub fn into_channel(self, uri: Arc<str>) -> StreamableHttpClientTransport<Self> {
        let mut config = StreamableHttpClientTransportConfig::with_uri(uri);
        let mut backoff = ExponentialBackoff::default();
        backoff.max_times = Some(5);
        backoff.max_delay = Some(Duration::from_secs(10));
        config.retry_config = Arc::new(backoff);
        StreamableHttpClientTransport::with_client(self, config)
    }

    /// Handles a stream that the server offered before and that now fails. Reports a lost grant, server or session at
    /// once, because the next call may come hours later. Returns `Ok` after a new sign-in, when a retry may succeed.
    async fn stream_lost(&self, error: Error, next_sign_in: impl Future<Output = ()>) -> Result<(), Error> {
        match error {
            Error::Client(fault @ (Fault::Unauthorized { .. } | Fault::Credentials(_))) => {
                self.inbound.monitor().report(fault);
                next_sign_in.await;
                Ok(())
            }
            Error::Client(Fault::Unreachable(why)) => {
                self.inbound.monitor().report(Fault::Unreachable(why.clone()));
                Err(Error::Client(Fault::Unreachable(why)))
            }
            // A 404 or 405 after an offered stream: the server no longer knows the session.
            Error::ServerDoesNotSupportSse => {
                self.inbound.monitor().report(Fault::Lost);
                Err(Error::ServerDoesNotSupportSse)
            }
            error => Err(error),
        }
    }

    /// Reads a response for rmcp.
    async fn read(&self, response: PostResponse) -> Result<StreamableHttpPostResponse, Error> {
        match response {
            PostResponse::Accepted => Ok(StreamableHttpPostResponse::Accepted),
            PostResponse::Json(body, session) => {
                let message = self.inbound.read(body).await.map_err(Error::Client)?;
                Ok(StreamableHttpPostResponse::Json(message, session))
            }
            PostResponse::Events(events, session) => {
                Ok(StreamableHttpPostResponse::Sse(self.inbound.clone().read_events(events), session))
            }
            PostResponse::SessionExpired => Err(Error::SessionExpired),
            PostResponse::Dropped(fault) => Err(Error::Client(fault)),
        }
    }

    fn all_headers(&self, protocol: HashMap<HeaderName, HeaderValue>) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.extend(protocol);
        headers
    }
}

impl StreamableHttpClient for HttpAdapter {
    type Error = Fault;

    async fn post_message(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Error> {
        let _answered = self.inbound.answered_by(&message);
        let headers = self.all_headers(headers);
        let exchange = async {
            let response = self.authorized.run(|token| {
                let (message, session, headers) = (&message, session.as_deref(), headers.clone());
                async move {
                    self.inbound.check_may_send()?;
                    self.http.post(message, session, token.as_ref(), headers).await
                }
            });
            response.await.map_err(Error::Client)
        };
        let begun = tokio::time::Instant::now();
        match Deadline::for_message(&message) {
            Deadline::Discover(id) => {
                let read = async {
                    match exchange.await? {
                        PostResponse::SessionExpired | PostResponse::Dropped(_) => {
                            Ok(discover::unknown_method(id.clone()))
                        }
                        response => self.read(response).await,
                    }
                };
                let response = match tokio::time::timeout(budgets::DISCOVER_TIMEOUT, read).await {
                    Ok(response) => response,
                    Err(_) => return Ok(discover::unknown_method(id)),
                };
                discover::interpret(id, response, begun + budgets::DISCOVER_TIMEOUT).await
            }
            Deadline::Response => match tokio::time::timeout(budgets::RESPONSE_TIMEOUT, exchange).await {
                Ok(response) => self.read(response?).await,
                Err(_) => Err(Error::Client(Fault::TimedOut(budgets::RESPONSE_TIMEOUT.as_secs()))),
            },
            Deadline::Caller => self.read(exchange.await?).await,
        }
    }

    async fn delete_session(
        &self,
        _uri: Arc<str>,
        session: Arc<str>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Error> {
        self.inbound.check_may_send().map_err(Error::Client)?;
        let token = self.authorized.cached_token();
        self.http.delete(&session, token.as_ref(), self.all_headers(headers)).await.map_err(Error::Client)
    }

    async fn get_stream(
        &self,
        _uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<Events, Error> {
        let headers = self.all_headers(headers);
        loop {
            let next_sign_in = self.inbound.monitor().next_sign_in();
            let exchange = self.authorized.run(|token| {
                let (session, last_event) = (session.as_deref(), last_event.as_deref());
                let headers = headers.clone();
                async move {
                    self.inbound.check_may_send()?;
                    self.http.get(session, last_event, token.as_ref(), headers).await
                }
            });
            let error = match in_time(exchange).await {
                Ok(Some(stream)) => {
                    self.had_stream.store(true, Ordering::Relaxed);
                    return Ok(self.inbound.clone().read_events(stream));
                }
                Ok(None) => Error::ServerDoesNotSupportSse,
                Err(fault) => Error::Client(fault),
            };
            if !self.had_stream.load(Ordering::Relaxed) {
                return Err(error);
            }
            self.stream_lost(error, next_sign_in).await?;
        }
    }
}

async fn in_time<T>(exchange: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let outcome = tokio::time::timeout(budgets::RESPONSE_TIMEOUT, exchange).await;
    outcome.unwrap_or_else(|_| Err(Fault::TimedOut(budgets::RESPONSE_TIMEOUT.as_secs())))
}

/// The deadline that applies to a message.
pub(super) enum Deadline {
    Discover(RequestId),
    Response,
    /// No deadline here, because the caller of the tool has its own.
    Caller,
}

impl Deadline {
    pub fn for_message(message: &ClientJsonRpcMessage) -> Self {
        match message {
            ClientJsonRpcMessage::Request(request) => match &request.request {
                ClientRequest::DiscoverRequest(_) => Self::Discover(request.id.clone()),
                ClientRequest::CallToolRequest(_) | ClientRequest::CustomRequest(_) => Self::Caller,
                _ => Self::Response,
            },
            ClientJsonRpcMessage::Response(_)
            | ClientJsonRpcMessage::Notification(_)
            | ClientJsonRpcMessage::Error(_) => Self::Response,
        }
    }
}
