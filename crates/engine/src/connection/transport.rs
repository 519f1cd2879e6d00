//! Our own HTTP client below rmcp: it puts the token on each request and renews it once when it is refused.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::stream::BoxStream;
use http::{HeaderMap, HeaderName, HeaderValue};
use rmcp::model::{
    ClientJsonRpcMessage, ClientRequest, ErrorCode, ErrorData, ProtocolVersion, ServerJsonRpcMessage,
    ServerResult,
};
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpError, StreamableHttpPostResponse,
};
use secrecy::SecretString;
use sse_stream::Sse;

use crate::connection::fault::Fault;
use crate::connection::lifeline::{Lifeline, NextSignIn};
use crate::connection::wire::{Answer, Wire};
use crate::credentials::Credentials;

/// How long `server/discover` may take, head and body, before the server counts as one of the `initialize` eras. rmcp
/// gives up after ten seconds, and must not be first.
const DISCOVER_TIMEOUT: Duration = Duration::from_secs(8);
/// How long the head of an answer may take. Calls have a deadline of their own, which progress renews.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// One event of a stream may be so large.
const MAX_EVENT: usize = 16 * 1024 * 1024;

type Failure = StreamableHttpError<Fault>;

/// The way to one server, with the sign-in that belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct Transport {
    wire: Wire,
    /// `None` where the person's own `Authorization` header stands, or there is nothing to sign in to.
    credentials: Option<Credentials>,
    /// From `mcp.json`, filled.
    headers: HeaderMap,
    lifeline: Lifeline,
    /// The server gave us its stream once: that it does not do so any more means something.
    had_stream: Arc<AtomicBool>,
}

impl Transport {
    pub fn new(wire: Wire, credentials: Option<Credentials>, headers: HeaderMap, lifeline: Lifeline) -> Self {
        Self { wire, credentials, headers, lifeline, had_stream: Arc::default() }
    }

    pub fn credentials(&self) -> Option<Credentials> {
        self.credentials.clone()
    }

    /// What it means that a stream which the server gave before is refused now: told to whoever watches, because no
    /// caller may come for hours. `Err` where trying again is of no use.
    async fn lost_stream(&self, failure: Failure, next_sign_in: NextSignIn) -> Result<(), Failure> {
        match failure {
            Failure::Client(fault @ (Fault::Unauthorized { .. } | Fault::Credentials(_))) => {
                self.lifeline.report(fault);
                next_sign_in.came().await;
                Ok(())
            }
            Failure::Client(Fault::Unreachable(why)) => {
                self.lifeline.report(Fault::Unreachable(why.clone()));
                Err(Failure::Client(Fault::Unreachable(why)))
            }
            // 404 or 405 where there was a stream before: the session is forgotten.
            Failure::ServerDoesNotSupportSse => {
                self.lifeline.report(Fault::Lost);
                Err(Failure::ServerDoesNotSupportSse)
            }
            failure => Err(failure),
        }
    }

    /// Runs an exchange with the token of now; where it is refused, once more with a renewed one.
    async fn authorized<T, F>(&self, exchange: impl Fn(Option<SecretString>) -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Fault>>,
    {
        let token = match &self.credentials {
            Some(credentials) => credentials.token().await.map_err(Fault::from).map_err(Failure::Client)?,
            None => None,
        };
        let refused = match exchange(token.clone()).await {
            Err(Fault::Unauthorized { challenge, token_sent }) => (challenge, token_sent),
            outcome => return outcome.map_err(Failure::Client),
        };
        let (Some(credentials), Some(token)) = (&self.credentials, token) else {
            return Err(Failure::Client(Fault::Unauthorized { challenge: refused.0, token_sent: refused.1 }));
        };
        match credentials.renew(&token).await {
            Ok(Some(renewed)) => exchange(Some(renewed)).await.map_err(Failure::Client),
            Ok(None) => Err(Failure::Client(Fault::Unauthorized { challenge: refused.0, token_sent: true })),
            Err(fault) => Err(Failure::Client(fault.into())),
        }
    }

    fn all_headers(&self, protocol: HashMap<HeaderName, HeaderValue>) -> HeaderMap {
        let mut headers = self.headers.clone();
        headers.extend(protocol);
        headers
    }
}

impl StreamableHttpClient for Transport {
    type Error = Fault;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        self.post_message_with_max_sse_event_size(uri, message, session, auth_header, headers, MAX_EVENT)
            .await
    }

    async fn post_message_with_max_sse_event_size(
        &self,
        _uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        max_event: usize,
    ) -> Result<StreamableHttpPostResponse, Failure> {
        let headers = self.all_headers(headers);
        let exchange = self.authorized(|token| {
            let (message, session, headers) = (&message, session.as_deref(), headers.clone());
            async move { self.wire.post(message, session, token.as_ref(), headers, max_event).await }
        });
        let begun = tokio::time::Instant::now();
        let answer = match patience(&message) {
            Patience::Discovery => match tokio::time::timeout(DISCOVER_TIMEOUT, exchange).await {
                Ok(answer) => answer,
                Err(_) => return Ok(not_known(&message)),
            },
            Patience::Short => tokio::time::timeout(ANSWER_TIMEOUT, exchange)
                .await
                .unwrap_or_else(|_| Err(Failure::Client(Fault::TimedOut(ANSWER_TIMEOUT.as_secs())))),
            Patience::Callers => exchange.await,
        };
        if matches!(patience(&message), Patience::Discovery) {
            return discovery(&message, answer, begun + DISCOVER_TIMEOUT).await;
        }
        match answer? {
            Answer::Message(message) => Ok(message),
            Answer::SessionExpired => Err(Failure::SessionExpired),
        }
    }

    async fn delete_session(
        &self,
        _uri: Arc<str>,
        session: Arc<str>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failure> {
        // A session is not worth renewing a token for: it is sent with the one at hand.
        let token = match &self.credentials {
            Some(credentials) => credentials.token_at_hand(),
            None => None,
        };
        self.wire.delete(&session, token.as_ref(), self.all_headers(headers)).await.map_err(Failure::Client)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        self.get_stream_with_max_sse_event_size(uri, session, last_event, auth_header, headers, MAX_EVENT)
            .await
    }

    async fn get_stream_with_max_sse_event_size(
        &self,
        _uri: Arc<str>,
        session: Option<Arc<str>>,
        last_event: Option<String>,
        _auth_header: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
        max_event: usize,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failure> {
        let headers = self.all_headers(headers);
        loop {
            let next_sign_in = self.lifeline.next_sign_in();
            let exchange = self.authorized(|token| {
                let (session, last_event) = (session.as_deref(), last_event.as_deref());
                let headers = headers.clone();
                async move { self.wire.get(session, last_event, token.as_ref(), headers, max_event).await }
            });
            let stream = match tokio::time::timeout(ANSWER_TIMEOUT, exchange).await {
                Ok(stream) => stream.and_then(|stream| stream.ok_or(Failure::ServerDoesNotSupportSse)),
                Err(_) => Err(Failure::Client(Fault::TimedOut(ANSWER_TIMEOUT.as_secs()))),
            };
            match stream {
                Ok(stream) => {
                    self.had_stream.store(true, Ordering::Relaxed);
                    return Ok(stream);
                }
                Err(failure) if self.had_stream.load(Ordering::Relaxed) => {
                    self.lost_stream(failure, next_sign_in).await?;
                }
                Err(failure) => return Err(failure),
            }
        }
    }
}

/// Who watches the clock of a message.
enum Patience {
    Discovery,
    Short,
    Callers,
}

fn patience(message: &ClientJsonRpcMessage) -> Patience {
    match message {
        ClientJsonRpcMessage::Request(request) => match &request.request {
            ClientRequest::DiscoverRequest(_) => Patience::Discovery,
            ClientRequest::CallToolRequest(_) => Patience::Callers,
            _ => Patience::Short,
        },
        ClientJsonRpcMessage::Response(_)
        | ClientJsonRpcMessage::Notification(_)
        | ClientJsonRpcMessage::Error(_) => Patience::Short,
    }
}

/// Whatever is not an answer to `server/discover` means a server of the `initialize` eras: a 4xx without JSON, an
/// empty result, another result, nothing in time. Authorization and outages keep their own meaning.
async fn discovery(
    message: &ClientJsonRpcMessage,
    answer: Result<Answer, Failure>,
    deadline: tokio::time::Instant,
) -> Result<StreamableHttpPostResponse, Failure> {
    let answer = match answer {
        Ok(Answer::Message(answer)) => answer,
        Ok(Answer::SessionExpired) => return Ok(not_known(message)),
        Err(Failure::Client(Fault::Status { status, .. }))
            if (400..500).contains(&status) && !matches!(status, 403 | 408 | 429) =>
        {
            return Ok(not_known(message));
        }
        Err(failure) => return Err(failure),
    };
    let answer = match tokio::time::timeout_at(deadline, answer.expect_initialized::<Fault>()).await {
        Ok(Ok((answer, _session))) => answer,
        Ok(Err(_)) | Err(_) => return Ok(not_known(message)),
    };
    let (ClientJsonRpcMessage::Request(request), id) = (message, request_id(message)) else {
        return Ok(not_known(message));
    };
    Ok(match answer {
        ServerJsonRpcMessage::Response(response) => match response.result {
            ServerResult::DiscoverResult(result)
                if result.supported_versions.contains(&ProtocolVersion::V_2026_07_28) =>
            {
                let result = ServerResult::DiscoverResult(result);
                StreamableHttpPostResponse::Json(
                    ServerJsonRpcMessage::response(result, request.id.clone()),
                    None,
                )
            }
            // Another result, or one that names only revisions with a handshake.
            _ => not_known(message),
        },
        ServerJsonRpcMessage::Error(error) if speaks_only_older(&error.error) => not_known(message),
        // Some middleware cannot echo the id of what it refuses.
        ServerJsonRpcMessage::Error(error) => {
            StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(error.error, id), None)
        }
        ServerJsonRpcMessage::Request(_) | ServerJsonRpcMessage::Notification(_) => not_known(message),
    })
}

/// A refusal of our revision that does not name it among those it takes.
fn speaks_only_older(error: &ErrorData) -> bool {
    let supported = error.data.as_ref().and_then(|data| data.get("supported")?.as_array());
    let ours = ProtocolVersion::V_2026_07_28;
    error.code == ErrorCode::UNSUPPORTED_PROTOCOL_VERSION
        && supported
            .is_some_and(|versions| versions.iter().all(|version| version.as_str() != Some(ours.as_str())))
}

fn not_known(message: &ClientJsonRpcMessage) -> StreamableHttpPostResponse {
    let error =
        ErrorData::new(ErrorCode::METHOD_NOT_FOUND, "the server does not answer server/discover", None);
    StreamableHttpPostResponse::Json(ServerJsonRpcMessage::error(error, request_id(message)), None)
}

fn request_id(message: &ClientJsonRpcMessage) -> Option<rmcp::model::RequestId> {
    match message {
        ClientJsonRpcMessage::Request(request) => Some(request.id.clone()),
        ClientJsonRpcMessage::Response(_)
        | ClientJsonRpcMessage::Notification(_)
        | ClientJsonRpcMessage::Error(_) => None,
    }
}
