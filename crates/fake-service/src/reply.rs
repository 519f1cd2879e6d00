//! A scripted reply.

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::{Value, json};

/// The status, headers and body of one response.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(&'static str, String)>,
    pub body: Bytes,
    hangs: bool,
    is_silent: bool,
}

/// Marks a response that is never sent.
#[derive(Clone)]
pub(crate) struct Silent;

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Reply { status, headers, body: body.into(), hangs: false, is_silent: false }
    }

    /// Returns a JSON body with status 200.
    pub fn json(body: Value) -> Self {
        Reply::json_with(200, body)
    }

    pub fn json_with(status: u16, body: Value) -> Self {
        Reply::new(status, "application/json", body.to_string())
    }

    /// Returns an OAuth error (RFC 6749 §5.2).
    pub fn oauth_error(status: u16, error: &str) -> Self {
        Reply::json_with(status, json!({ "error": error }))
    }

    /// Returns the rejection of a client registration (RFC 7591 §3.2.2).
    pub fn rejected_registration() -> Self {
        let description = "This app is not welcome";
        Reply::json_with(400, json!({ "error": "invalid_client_metadata", "error_description": description }))
    }

    pub fn text(status: u16, body: &'static str) -> Self {
        Reply::new(status, "text/plain", body)
    }

    /// Returns an unrelated page, such as that of a parked domain or a captive portal.
    pub fn html_page(status: u16) -> Self {
        let page = "<!doctype html><title>Welcome</title><h1>Sign in to the network of this hotel</h1>";
        Reply::new(status, "text/html", page)
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Reply::text(status, "").with("location", to)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Returns a reply that is never sent. The connection stays open.
    pub fn silent() -> Self {
        Reply { is_silent: true, ..Reply::text(200, "") }
    }

    /// Keeps the connection open after the body, so that the response never ends.
    pub fn hanging(mut self) -> Self {
        self.hangs = true;
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let body = if self.hangs {
            let first = futures::stream::iter([Ok::<_, std::io::Error>(self.body)]);
            Body::from_stream(first.chain(futures::stream::pending()))
        } else {
            Body::from(self.body)
        };
        let mut response = Response::builder().status(self.status);
        for (name, value) in self.headers {
            response = response.header(name, value);
        }
        if self.is_silent {
            response = response.extension(Silent);
        }
        response.body(body).unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
    }
}
