//! JSON documents from the other side, read leniently: an optional field of the wrong type counts as absent.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::{Map, Value};
use url::Url;

use crate::http_client::Reply;
use crate::{Error, ErrorKind, HttpClient, Step};

const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What lies at a well-known address.
pub(crate) enum Fetched {
    Document(Document),
    /// The server says that there is nothing: any 4xx but a rate limit.
    Absent,
    /// Something, but no JSON: a catch-all page.
    NotJson,
}

/// A JSON object.
pub(crate) struct Document(Map<String, Value>);

pub(crate) async fn fetch(http: &HttpClient, step: Step, url: Url) -> Result<Fetched, Error> {
    let host = url.host_str().map(str::to_owned);
    let failed = |kind| Error { step, host, kind };
    let reply = http.get(step, url).await?;
    if matches!(reply.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return Err(failed(transient(&reply, None)));
    }
    if reply.status.is_client_error() {
        return Ok(Fetched::Absent);
    }
    if !reply.status.is_success() {
        return Err(failed(ErrorKind::Status(reply.status.as_u16())));
    }
    match Document::parse(&reply.body) {
        Ok(document) => Ok(Fetched::Document(document)),
        Err(ErrorKind::NotJson) => Ok(Fetched::NotJson),
        Err(kind) => Err(failed(kind)),
    }
}

impl Document {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, ErrorKind> {
        let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Document(fields)),
            Ok(_) => Err(ErrorKind::NotJson),
            Err(_) if body.starts_with(b"{") => {
                Err(ErrorKind::Malformed { what: "its JSON is broken or nested too deeply".to_owned() })
            }
            Err(_) => Err(ErrorKind::NotJson),
        }
    }

    pub(crate) fn from_fields(fields: Map<String, Value>) -> Self {
        Document(fields)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A string that is not empty.
    pub(crate) fn string(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The strings of an array; what else it holds is left out.
    pub(crate) fn strings(&self, name: &str) -> Option<Vec<String>> {
        let all = self.get(name)?.as_array()?;
        Some(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }

    /// True for `true` and for the string that some servers write instead.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true))) || self.string(name) == Some("true")
    }

    /// A whole number, written as an integer, a float or a string.
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        let number = match self.get(name)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        // Out of range means nothing that a clock could keep; a century is as good as for ever.
        let is_sensible = number.is_finite() && number >= 1.0;
        is_sensible
            .then(|| Duration::try_from_secs_f64(number.min(3.2e9)).map(|life| life.as_secs()).ok())
            .flatten()
    }
}

/// A status that says nothing about the request: an outage, a rate limit, a detour.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || status.is_redirection()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

/// `now` is needed for a `Retry-After` that is a date.
pub(crate) fn transient(reply: &Reply, now: Option<Timestamp>) -> ErrorKind {
    ErrorKind::Transient { status: reply.status.as_u16(), retry_after: retry_after(&reply.headers, now) }
}

fn retry_after(headers: &HeaderMap, now: Option<Timestamp>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::try_from(at.duration_since(now?)).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST_WAIT))
}
