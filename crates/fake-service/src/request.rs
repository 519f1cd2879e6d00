//! A recorded request.

use std::collections::HashMap;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde_json::Value;

/// A request with its body.
#[derive(Clone, Debug)]
pub struct Request {
    /// The method, the path and the query: `GET /authorize?state=…`.
    pub line: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The number of `initialize` requests so far, including this one.
    pub handshakes: usize,
}

impl Request {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Request {
        Request {
            line: format!("{} {}", parts.method, parts.uri),
            path: parts.uri.path().to_owned(),
            headers: parts.headers,
            body,
            handshakes: 0,
        }
    }

    /// Returns the parameters of a form body.
    pub fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// Returns the JSON body, or null if the body is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// Returns the JSON-RPC method, or an empty string.
    pub fn rpc_method(&self) -> String {
        self.json()["method"].as_str().unwrap_or_default().to_owned()
    }

    /// Returns the `Authorization` header, or an empty string.
    pub fn authorization(&self) -> &str {
        self.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
