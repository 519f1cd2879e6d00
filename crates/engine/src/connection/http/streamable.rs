//! One HTTP exchange of Streamable HTTP: the request, and the classified response.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use futures::stream::BoxStream;
use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::common::http_header::{
    EVENT_STREAM_MIME_TYPE, HEADER_LAST_EVENT_ID, HEADER_SESSION_ID, JSON_MIME_TYPE,
};
use rmcp::transport::streamable_http_client::SseError;
use serde::de::IgnoredAny;
use serde_json::Value;
use sse_stream::Sse;
use url::Url;
use usher_budgets as budgets;
use usher_oauth::{Challenge, DpopSession};

use super::endpoint_client::{EndpointClient, SendError};
use super::event_stream::event_stream;
use crate::clock::Clock;
use crate::connection::fault::Fault;
use crate::credentials::token::Token;

const INVALID_TOKEN: &str = "invalid_token";

/// The events of a body.
pub(crate) type Events = BoxStream<'static, Result<Sse, SseError>>;

/// The response to a POST, with the id of the session if the server names one.
pub(crate) enum PostResponse {
    /// 202, or any success after a message that expects no response.
    Accepted,
    /// A JSON body.
    Json(Vec<u8>, Option<String>),
    Events(Events, Option<String>),
    /// The server no longer knows the session: 404, or another refusal of a request with a session id.
    SessionExpired,
    /// The server closed the connection instead of responding.
    Dropped(Fault),
}

/// The HTTP client of one server.
#[derive(Clone, Debug)]
pub(crate) struct StreamableHttp {
    client: EndpointClient,
    /// The last session with which the server accepted a request.
    accepted_session: Arc<Mutex<Option<String>>>,
}

impl StreamableHttp {
    pub fn new(
        builder: reqwest::ClientBuilder,
        uri: &str,
        clock: Clock,
        dpop: DpopSession,
    ) -> Result<Self, Fault> {
        let client = EndpointClient::new(builder, uri, clock, dpop)?;
        Ok(Self { client, accepted_session: Arc::default() })
    }

    /// Posts one message. `headers` contains the headers of `mcp.json`, the protocol version and the routing headers.
    pub async fn post(
        &self,
        message: &ClientJsonRpcMessage,
        session: Option<&str>,
        token: Option<&Token>,
        headers: HeaderMap,
    ) -> Result<PostResponse, Fault> {
        let request = |http: &reqwest::Client, uri| {
            let request = http.post(uri).headers(headers.clone()).header(ACCEPT, accepted()).json(message);
            with_session(request, session)
        };
        let response = match self.client.send(token, request).await {
            Ok(response) => response,
            Err(SendError::Failed(fault)) => return Err(fault),
            Err(SendError::Dropped(fault)) => return Ok(PostResponse::Dropped(fault)),
        };
        let status = response.status();
        let authorization = check_authorization(status, response.headers(), token.is_some());
        let is_bare_refusal =
            matches!(&authorization, Err(Fault::Unauthorized { challenge: None, token_sent: false }));
        // A server that accepted this session without a token has no reason for a 401 but a forgotten session.
        let is_forgotten = session.is_some_and(|session| is_bare_refusal && self.was_accepted(session));
        if is_forgotten || (session.is_some() && status == StatusCode::NOT_FOUND) {
            return Ok(PostResponse::SessionExpired);
        }
        authorization?;
        if status.is_redirection() {
            return Err(Fault::Redirected { host: location_host(response.headers()) });
        }
        let had_session = session.is_some();
        let expects_response = matches!(message, ClientJsonRpcMessage::Request(_));
        if status.is_success()
            && expects_response
            && let Some(session) = session
        {
            *self.accepted_session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.to_owned());
        }
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(PostResponse::Accepted);
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
            if let Some(refused) = rejected_token(status, &body, token.is_some()) {
                return Err(refused);
            }
            // Some servers answer 400 for an unknown session.
            if status == StatusCode::BAD_REQUEST && had_session && mentions_session(&body) {
                return Ok(PostResponse::SessionExpired);
            }
            return if is_rpc_error(&body) { Ok(PostResponse::Json(body, session)) } else { Err(fault) };
        }
        match kind {
            MediaType::EventStream => Ok(PostResponse::Events(
                event_stream(response.bytes_stream(), budgets::MESSAGE_BYTES),
                session,
            )),
            // The specification asks for 202 without a body. Some servers answer 200 with any body.
            MediaType::Json | MediaType::Other(_) if !expects_response => Ok(PostResponse::Accepted),
            MediaType::Json => {
                Ok(PostResponse::Json(read_body(response, budgets::MESSAGE_BYTES).await?, session))
            }
            MediaType::Other(kind) => {
                let not_json = || {
                    let kind = kind.as_deref().unwrap_or("no content type");
                    Fault::Protocol(format!("the server answered with {kind} instead of JSON"))
                };
                // Some servers send JSON as plain text, or without a type.
                if !matches!(kind.as_deref(), None | Some("text/plain")) {
                    return Err(not_json());
                }
                let body = read_body(response, budgets::MESSAGE_BYTES).await?;
                if is_json(&body) { Ok(PostResponse::Json(body, session)) } else { Err(not_json()) }
            }
        }
    }

    fn was_accepted(&self, session: &str) -> bool {
        let accepted = self.accepted_session.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.as_deref() == Some(session)
    }

    /// Opens the stream of a session, or resumes the stream of a response. `None` if the server offers none.
    pub async fn get(
        &self,
        session: Option<&str>,
        last_event: Option<&str>,
        token: Option<&Token>,
        headers: HeaderMap,
    ) -> Result<Option<Events>, Fault> {
        let request = |http: &reqwest::Client, uri| {
            let request = http.get(uri).headers(headers.clone()).header(ACCEPT, EVENT_STREAM_MIME_TYPE);
            let request = with_session(request, session);
            match last_event {
                Some(last_event) => request.header(HEADER_LAST_EVENT_ID, last_event),
                None => request,
            }
        };
        let response = self.client.send(token, request).await.map_err(SendError::into_fault)?;
        let status = response.status();
        check_authorization(status, response.headers(), token.is_some())?;
        if matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        if !status.is_success() {
            let fault = status_fault(status, response.headers());
            let kind = media_type(response.headers());
            let body = error_body(response, &kind).await;
            return Err(rejected_token(status, &body, token.is_some()).unwrap_or(fault));
        }
        match media_type(response.headers()) {
            MediaType::EventStream => Ok(Some(event_stream(response.bytes_stream(), budgets::MESSAGE_BYTES))),
            MediaType::Json | MediaType::Other(_) => {
                Err(Fault::Protocol("the server's stream is not an event stream".to_owned()))
            }
        }
    }

    /// Posts one message to another address of the same server, as HTTP+SSE does. Any success is an acceptance. Returns
    /// the body if the server responds there instead of on its stream.
    pub async fn post_to(
        &self,
        address: Url,
        message: &ClientJsonRpcMessage,
        token: Option<&Token>,
        headers: HeaderMap,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let request = |http: &reqwest::Client, uri| {
            http.post(uri).headers(headers.clone()).header(ACCEPT, accepted()).json(message)
        };
        let response = self.client.at(address).send(token, request).await.map_err(SendError::into_fault)?;
        let status = response.status();
        check_authorization(status, response.headers(), token.is_some())?;
        if status.is_redirection() {
            return Err(Fault::Redirected { host: location_host(response.headers()) });
        }
        let kind = media_type(response.headers());
        if !status.is_success() {
            let fault = status_fault(status, response.headers());
            let body = error_body(response, &kind).await;
            return Err(rejected_token(status, &body, token.is_some()).unwrap_or(fault));
        }
        match kind {
            MediaType::Json => {
                let body = read_body(response, budgets::MESSAGE_BYTES).await?;
                Ok((!body.trim_ascii().is_empty()).then_some(body))
            }
            MediaType::EventStream | MediaType::Other(_) => Ok(None),
        }
    }

    /// Ends a session. Servers may refuse that.
    pub async fn delete(
        &self,
        session: &str,
        token: Option<&Token>,
        headers: HeaderMap,
    ) -> Result<(), Fault> {
        let request = |http: &reqwest::Client, uri| {
            with_session(http.delete(uri).headers(headers.clone()), Some(session))
        };
        let response = self.client.send(token, request).await.map_err(SendError::into_fault)?;
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

fn with_session(request: reqwest::RequestBuilder, session: Option<&str>) -> reqwest::RequestBuilder {
    match session {
        Some(session) => request.header(HEADER_SESSION_ID, session),
        None => request,
    }
}

/// Returns an error for a status that some servers send instead of a 401: the body says that the token is invalid
/// (RFC 6750 §3.1).
fn rejected_token(status: StatusCode, body: &[u8], token_sent: bool) -> Option<Fault> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let names_token = body["error"] == INVALID_TOKEN || body["error"]["code"] == INVALID_TOKEN;
    let is_rejected = status == StatusCode::BAD_REQUEST && names_token;
    is_rejected.then_some(Fault::Unauthorized { challenge: None, token_sent })
}

/// Returns an error for a 401, and for a 403 with `insufficient_scope`. All `WWW-Authenticate` headers are read.
fn check_authorization(status: StatusCode, headers: &HeaderMap, token_sent: bool) -> Result<(), Fault> {
    let challenge = || Challenge::from_headers(headers.get_all(WWW_AUTHENTICATE)).map(Box::new);
    match status {
        StatusCode::UNAUTHORIZED => Err(Fault::Unauthorized { challenge: challenge(), token_sent }),
        // Some servers send the challenge with another status.
        StatusCode::BAD_REQUEST => {
            let is_refusal = |challenge: &Challenge| challenge.error.as_deref() == Some(INVALID_TOKEN);
            match challenge().filter(|challenge| is_refusal(challenge)) {
                challenge @ Some(_) => Err(Fault::Unauthorized { challenge, token_sent }),
                None => Ok(()),
            }
        }
        StatusCode::FORBIDDEN => match challenge().filter(|challenge| challenge.is_insufficient_scope()) {
            Some(challenge) => Err(Fault::InsufficientScope { challenge }),
            None => Ok(()),
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

/// Reads an error's body if it may be more specific than the status.
async fn error_body(response: reqwest::Response, kind: &MediaType) -> Vec<u8> {
    // A 403 may come from a gateway, and a 429 is described by its headers.
    let keeps_status = matches!(response.status(), StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS);
    match kind {
        MediaType::Json if !keeps_status => {
            read_body(response, budgets::ERROR_BODY_BYTES).await.unwrap_or_default()
        }
        MediaType::Json | MediaType::EventStream | MediaType::Other(_) => Vec::new(),
    }
}

/// Returns whether the body is JSON, perhaps after a byte order mark.
fn is_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

fn is_rpc_error(body: &[u8]) -> bool {
    matches!(serde_json::from_slice(body), Ok(ServerJsonRpcMessage::Error(_)))
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
            return Err(Fault::Protocol(format!("the server's response is larger than {max} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
