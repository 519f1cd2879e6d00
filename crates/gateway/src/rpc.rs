//! JSON-RPC messages: what a client sends, and the responses and notifications that it gets.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use usher_engine::RpcError;

use crate::members::{Members, quoted};

pub(crate) const PARSE_ERROR: i32 = -32700;
pub(crate) const INVALID_REQUEST: i32 = -32600;
pub(crate) const METHOD_NOT_FOUND: i32 = -32601;
pub(crate) const INVALID_PARAMS: i32 = -32602;
/// Usher got no response from the server. The code is outside the range that JSON-RPC reserves.
pub(crate) const NO_RESPONSE: i32 = -31000;

/// A message of a client.
#[derive(Debug)]
pub(crate) enum Incoming {
    Request(Request),
    Notification {
        method: String,
        params: Option<String>,
    },
    /// The response to a request of the gateway.
    Response,
}

/// A request of a client. The texts are JSON as the client sent it.
#[derive(Debug)]
pub(crate) struct Request {
    pub id: String,
    pub method: String,
    pub params: Option<String>,
}

/// An error response.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Failure {
    pub code: i32,
    message: String,
    data: Option<Value>,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow)]
    params: Option<&'a RawValue>,
}

impl Incoming {
    /// Reads a message. An error is sent without an id.
    pub fn parse(line: &str) -> Result<Self, Failure> {
        let envelope: Envelope<'_> = serde_json::from_str(line).map_err(|error| {
            let code = if error.is_data() { INVALID_REQUEST } else { PARSE_ERROR };
            Failure::new(code, format!("not a JSON-RPC message ({error})"))
        })?;
        let params = envelope.params.map(|params| params.get().to_owned());
        let id = envelope.id.map(RawValue::get).filter(|id| *id != "null");
        match (id, envelope.method) {
            (None, Some(method)) => Ok(Self::Notification { method: method.into_owned(), params }),
            (Some(id), Some(method))
                if id.starts_with(['"', '-']) || id.starts_with(|digit: char| digit.is_ascii_digit()) =>
            {
                Ok(Self::Request(Request { id: id.to_owned(), method: method.into_owned(), params }))
            }
            (Some(_), Some(_)) => Err(Failure::new(INVALID_REQUEST, "the id must be a string or a number")),
            (Some(_), None) => Ok(Self::Response),
            (None, None) => Err(Failure::new(INVALID_REQUEST, "a message needs a method")),
        }
    }
}

impl Request {
    /// Returns the members of the parameters. Empty if there are none.
    pub fn params(&self) -> Result<Members<'_>, Failure> {
        match &self.params {
            None => Ok(Members::default()),
            Some(params) => Members::parse(params)
                .ok_or_else(|| Failure::new(INVALID_PARAMS, "the parameters must be an object")),
        }
    }
}

impl Failure {
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), data: None }
    }

    pub fn with_data(self, data: Value) -> Self {
        Self { data: Some(data), ..self }
    }

    pub fn unknown_method(method: &str) -> Self {
        Self::new(METHOD_NOT_FOUND, format!("unknown method {}", quoted(method)))
    }
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        Self { code: error.code, message: error.message, data: error.data }
    }
}

/// Returns the line of a response. `id` and a successful outcome are JSON text.
pub(crate) fn response(id: &str, outcome: Result<String, Failure>) -> String {
    line(match outcome {
        Ok(result) => format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{result}}}"),
        Err(Failure { code, message, data }) => {
            let data = data.map(|data| format!(",\"data\":{data}")).unwrap_or_default();
            let message = quoted(&message);
            format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{code},\"message\":{message}{data}}}}}"
            )
        }
    })
}

/// Returns the line of a notification. `params` is JSON text.
pub(crate) fn notification(method: &str, params: Option<&str>) -> String {
    let params = params.map(|params| format!(",\"params\":{params}")).unwrap_or_default();
    line(format!("{{\"jsonrpc\":\"2.0\",\"method\":{}{params}}}", quoted(method)))
}

/// Returns a message as one line. A server may send its JSON over several lines. Line breaks in strings are escaped in
/// JSON, so all others are between the values.
fn line(mut message: String) -> String {
    if message.contains(['\n', '\r']) {
        message = message.replace(['\n', '\r'], " ");
    }
    message.push('\n');
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_keep_their_text() {
        for id in ["1", "-7", "12345678901234567890123", "\"\\u0061\""] {
            let line = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"ping\"}}");
            let Ok(Incoming::Request(request)) = Incoming::parse(&line) else { panic!("{id}") };
            assert_eq!((request.id.as_str(), request.method.as_str()), (id, "ping"));
        }
    }

    #[test]
    fn messages_that_are_not_json_rpc_get_an_error() {
        let code = |line: &str| Incoming::parse(line).map_err(|failure| failure.code).map(drop);
        assert_eq!(code("{"), Err(PARSE_ERROR));
        for line in ["[]", "1", "{}", r#"{"id":{},"method":"ping"}"#, r#"{"id":1,"method":1}"#] {
            assert_eq!(code(line), Err(INVALID_REQUEST), "{line}");
        }
        assert!(matches!(Incoming::parse(r#"{"id":1,"result":{}}"#), Ok(Incoming::Response)));
    }

    #[test]
    fn responses_and_notifications_are_lines() {
        assert_eq!(response("1", Ok("{}".to_owned())), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
        let failure = Failure::new(-1, "a\nb").with_data(Value::from(1));
        let expected = r#"{"jsonrpc":"2.0","id":"x","error":{"code":-1,"message":"a\nb","data":1}}"#;
        assert_eq!(response("\"x\"", Err(failure)), format!("{expected}\n"));
        assert_eq!(response("1", Ok("{\r\n\"a\":1}".to_owned())).lines().count(), 1);
        assert_eq!(notification("a", Some("[]")), "{\"jsonrpc\":\"2.0\",\"method\":\"a\",\"params\":[]}\n");
    }
}
