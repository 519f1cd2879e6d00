//! One HTTP exchange of Streamable HTTP: a request as the specification has it, an answer sorted by what it means.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::common::http_header::{
    EVENT_STREAM_MIME_TYPE, HEADER_LAST_EVENT_ID, HEADER_SESSION_ID, JSON_MIME_TYPE,
};
use rmcp::transport::streamable_http_client::{SseError, StreamableHttpPostResponse};
use secrecy::{ExposeSecret, SecretString};
use sse_stream::Sse;
use usher_oauth::BearerChallenge;

use crate::connection::event_stream::event_stream;
use crate::connection::fault::Fault;

/// A JSON answer may be so large, after decompression.
const MAX_JSON: usize = 16 * 1024 * 1024;
/// Of an error's body no more is read.
const MAX_ERROR: usize = 64 * 1024;
const MAX_REDIRECTS: usize = 5;

/// What came back from a POST.
#[expect(clippy::large_enum_variant, reason = "rmcp's type, moved once")]
pub(crate) enum Answer {
    Message(StreamableHttpPostResponse),
    /// A 404 for a request that carried a session id: the session is forgotten.
    SessionExpired,
}

/// The reqwest client of one server, with the rules of this page built in.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    http: reqwest::Client,
    uri: Arc<str>,
}

impl Wire {
    /// Follows 307 and 308 within the origin and nothing else: a token never leaves with a redirect.
    pub fn new(builder: reqwest::ClientBuilder, uri: Arc<str>) -> Result<Self, Fault> {
        let policy = reqwest::redirect::Policy::custom(|attempt| {
            let keeps_method =
                matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            let same_origin =
                attempt.previous().last().is_some_and(|url| url.origin() == attempt.url().origin());
            if keeps_method && same_origin && attempt.previous().len() <= MAX_REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let http = builder
            .redirect(policy)
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(60))
            // A stream whose other end vanished without a word would be waited for in vain.
            .tcp_keepalive(Duration::from_secs(60))
            .user_agent(concat!("Usher/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Fault::from_reqwest(&error))?;
        Ok(Self { http, uri })
    }

    /// Posts one message. `headers` are those of the person, of the protocol version and of the routing.
    pub async fn post(
        &self,
        message: &ClientJsonRpcMessage,
        session: Option<&str>,
        token: Option<&SecretString>,
        headers: HeaderMap,
        max_event: usize,
    ) -> Result<Answer, Fault> {
        let mut request =
            self.http.post(self.uri.as_ref()).headers(headers).header(ACCEPT, accepted()).json(message);
        request = authorized(request, token);
        if let Some(session) = session {
            request = request.header(HEADER_SESSION_ID, session);
        }
        let response = request.send().await.map_err(|error| Fault::from_reqwest(&error))?;
        let status = response.status();
        refuse_authorization(status, response.headers(), token.is_some())?;
        if status == StatusCode::NOT_FOUND && session.is_some() {
            return Ok(Answer::SessionExpired);
        }
        if status.is_redirection() {
            return Err(Fault::Redirected { host: location_host(response.headers()) });
        }
        let had_session = session.is_some();
        let awaits_answer = matches!(message, ClientJsonRpcMessage::Request(_));
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(Answer::Message(StreamableHttpPostResponse::Accepted));
        }
        let session = response
            .headers()
            .get(HEADER_SESSION_ID)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let kind = media_type(response.headers());
        if !status.is_success() {
            let fault = status_fault(status, response.headers());
            let body = error_body(response, &kind).await;
            // Some servers say 400 for a session that they do not know.
            if status == StatusCode::BAD_REQUEST && had_session && mentions_session(&body) {
                return Ok(Answer::SessionExpired);
            }
            let message = rpc_error(&body).ok_or(fault)?;
            return Ok(Answer::Message(StreamableHttpPostResponse::Json(message, session)));
        }
        let answer = match kind {
            MediaType::EventStream => {
                StreamableHttpPostResponse::Sse(event_stream(response.bytes_stream(), max_event), session)
            }
            // The specification wants 202 for what awaits no answer; some servers say 200 with anything.
            MediaType::Json | MediaType::Other(_) if !awaits_answer => StreamableHttpPostResponse::Accepted,
            MediaType::Json => {
                let body = read_body(response, MAX_JSON).await?;
                let message = serde_json::from_slice(&body).map_err(|error| {
                    Fault::Protocol(format!("the server's answer is not a JSON-RPC message ({error})"))
                })?;
                StreamableHttpPostResponse::Json(message, session)
            }
            MediaType::Other(kind) => {
                return Err(Fault::Protocol(format!(
                    "the server answered with {} instead of JSON",
                    kind.as_deref().unwrap_or("no content type")
                )));
            }
        };
        Ok(Answer::Message(answer))
    }

    /// Opens the stream of a session, or resumes the one of an answer. `None`: the server has none to offer.
    pub async fn get(
        &self,
        session: Option<&str>,
        last_event: Option<&str>,
        token: Option<&SecretString>,
        headers: HeaderMap,
        max_event: usize,
    ) -> Result<Option<BoxStream<'static, Result<Sse, SseError>>>, Fault> {
        let mut request =
            self.http.get(self.uri.as_ref()).headers(headers).header(ACCEPT, EVENT_STREAM_MIME_TYPE);
        request = authorized(request, token);
        if let Some(session) = session {
            request = request.header(HEADER_SESSION_ID, session);
        }
        if let Some(last_event) = last_event {
            request = request.header(HEADER_LAST_EVENT_ID, last_event);
        }
        let response = request.send().await.map_err(|error| Fault::from_reqwest(&error))?;
        let status = response.status();
        refuse_authorization(status, response.headers(), token.is_some())?;
        if matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        if !status.is_success() {
            return Err(status_fault(status, response.headers()));
        }
        match media_type(response.headers()) {
            MediaType::EventStream => Ok(Some(event_stream(response.bytes_stream(), max_event).boxed())),
            MediaType::Json | MediaType::Other(_) => {
                Err(Fault::Protocol("the server's stream is not an event stream".to_owned()))
            }
        }
    }

    /// Ends a session. Servers that do not let clients end one are right, too.
    pub async fn delete(
        &self,
        session: &str,
        token: Option<&SecretString>,
        headers: HeaderMap,
    ) -> Result<(), Fault> {
        let request = self.http.delete(self.uri.as_ref()).headers(headers).header(HEADER_SESSION_ID, session);
        let response =
            authorized(request, token).send().await.map_err(|error| Fault::from_reqwest(&error))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND => Ok(()),
            status => Err(status_fault(status, response.headers())),
        }
    }
}

fn accepted() -> HeaderValue {
    HeaderValue::from_static("application/json, text/event-stream")
}

fn authorized(request: reqwest::RequestBuilder, token: Option<&SecretString>) -> reqwest::RequestBuilder {
    match token {
        Some(token) => request.bearer_auth(token.expose_secret()),
        None => request,
    }
}

/// 401 in all its forms, and 403 with `insufficient_scope`; all `WWW-Authenticate` headers are read.
fn refuse_authorization(status: StatusCode, headers: &HeaderMap, token_sent: bool) -> Result<(), Fault> {
    let challenge = || BearerChallenge::from_headers(headers.get_all(WWW_AUTHENTICATE)).map(Box::new);
    match status {
        StatusCode::UNAUTHORIZED => Err(Fault::Unauthorized { challenge: challenge(), token_sent }),
        StatusCode::FORBIDDEN => match challenge() {
            Some(challenge) if challenge.error.as_deref() == Some("insufficient_scope") => {
                Err(Fault::InsufficientScope { challenge })
            }
            Some(_) | None => Ok(()),
        },
        _ => Ok(()),
    }
}

enum MediaType {
    Json,
    EventStream,
    Other(Option<String>),
}

fn media_type(headers: &HeaderMap) -> MediaType {
    let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = text.map(|text| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    match essence.as_deref() {
        Some(JSON_MIME_TYPE) => MediaType::Json,
        Some(EVENT_STREAM_MIME_TYPE) => MediaType::EventStream,
        Some(_) | None => MediaType::Other(essence),
    }
}

/// What an error's body says, where it may say more than the status.
async fn error_body(response: reqwest::Response, kind: &MediaType) -> Vec<u8> {
    // A 403 is the server's or a gateway's refusal, whatever the body says; a 429 is told by its headers.
    let keeps_status = matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    match kind {
        MediaType::Json if !keeps_status => read_body(response, MAX_ERROR).await.unwrap_or_default(),
        MediaType::Json | MediaType::EventStream | MediaType::Other(_) => Vec::new(),
    }
}

fn rpc_error(body: &[u8]) -> Option<ServerJsonRpcMessage> {
    let message = serde_json::from_slice(body).ok()?;
    matches!(message, ServerJsonRpcMessage::Error(_)).then_some(message)
}

fn mentions_session(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).to_lowercase().contains("session")
}

fn status_fault(status: StatusCode, headers: &HeaderMap) -> Fault {
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Fault::Status { status: status.as_u16(), retry_after }
}

fn location_host(headers: &HeaderMap) -> Option<String> {
    let location = url::Url::parse(headers.get(LOCATION)?.to_str().ok()?).ok()?;
    location.host_str().map(str::to_owned)
}

async fn read_body(response: reqwest::Response, max: usize) -> Result<Vec<u8>, Fault> {
    let mut stream = response.bytes_stream();
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| Fault::from_reqwest(&error))?;
        if body.len() + chunk.len() > max {
            return Err(Fault::Protocol(format!("the server's answer is larger than {max} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
