//! JSON documents from servers, read leniently: an optional field of the wrong type counts as absent.

use std::time::Duration;

use http::header::RETRY_AFTER;
use http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use serde_json::{Map, Value};
use url::Url;
use usher_budgets as budgets;

use crate::http_client::Response;
use crate::{Error, ErrorKind, HttpClient, Step};

pub(crate) struct Document(Map<String, Value>);

/// Gets a document. Returns `None` for any 4xx status except a rate limit.
pub(crate) async fn fetch(http: &HttpClient, step: Step, url: Url) -> Result<Option<Document>, Error> {
    let host = url.host_str().map(str::to_owned);
    let failed = |kind| Error::new(step, host.as_deref(), kind);
    let response = http.get(step, url).await?;
    if matches!(response.status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE) {
        return Err(failed(transient(&response, None)));
    }
    if response.status.is_client_error() {
        return Ok(None);
    }
    if !response.status.is_success() {
        return Err(failed(ErrorKind::Status(response.status.as_u16())));
    }
    Document::parse(&response.body).map(Some).map_err(failed)
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

    /// Returns a non-empty string.
    pub(crate) fn string(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Returns the strings of an array, up to the limits. Other elements are skipped.
    pub(crate) fn strings(&self, name: &str) -> Option<Vec<String>> {
        let all = self.get(name)?.as_array()?;
        let strings = all.iter().filter_map(Value::as_str).take(budgets::METADATA_STRINGS);
        let within_limit = strings.scan(0, |bytes, text| {
            *bytes += text.len();
            (*bytes <= budgets::METADATA_LIST_BYTES).then(|| text.to_owned())
        });
        Some(within_limit.collect())
    }

    /// Whether the value is `true`, or the string `"true"` that some servers send instead.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true))) || self.string(name) == Some("true")
    }

    /// Returns a number of at least one, rounded down. The value may be an integer, a float or a string.
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        let number = match self.get(name)? {
            Value::Number(number) => number.as_f64()?,
            Value::String(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        // Limited to a century, so that adding it to a date cannot overflow.
        let seconds = Duration::try_from_secs_f64(number.min(3.2e9)).ok()?.as_secs();
        (number.is_finite() && seconds >= 1).then_some(seconds)
    }
}

/// Whether the status is temporary and not caused by the request: an outage, a rate limit or a redirect.
pub(crate) fn is_transient(status: StatusCode) -> bool {
    status.is_server_error()
        || status.is_redirection()
        || matches!(
            status,
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS
        )
}

/// Returns the error for a transient status. `now` is needed for a `Retry-After` that is a date.
pub(crate) fn transient(response: &Response, now: Option<Timestamp>) -> ErrorKind {
    ErrorKind::Transient {
        status: response.status.as_u16(),
        retry_after: retry_after(&response.headers, now),
    }
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
    Some(wait.min(budgets::LONGEST_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_read_up_to_its_limits() {
        let read = |list: Value| {
            let body = json!({ "list": list }).to_string();
            Document::parse(body.as_bytes()).expect("a document").strings("list").expect("a list")
        };
        assert_eq!(read(json!(["a", 7, "b"])), ["a", "b"]);
        assert_eq!(read(vec!["a"; 90_000].into()).len(), budgets::METADATA_STRINGS);
        let long = "x".repeat(budgets::METADATA_LIST_BYTES / 2);
        assert_eq!(read(vec![long; 5].into()).len(), 2);
    }
}
