//! The planned faults of a refresh, and the moments at which a test can act.

use std::collections::VecDeque;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::Reply;
use crate::wire::{Action, End, Wire};

/// A fault of one refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// The refresh is not carried out, and the client gets this response.
    BeforeCommit(BadResponse),
    /// The refresh token is rotated, and the client gets this response.
    AfterCommit(BadResponse),
    /// The correct response, in pieces over this time.
    Slow(Duration),
    /// Not a fault: the family is revoked, and the response is the correct `invalid_grant`.
    Revoked,
}

/// A response in place of the tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadResponse {
    /// The connection is reset.
    Reset,
    /// The connection is closed without a response.
    Closed,
    /// The connection stays open without a response.
    Silent,
    /// This status with a line of text.
    Status(u16),
    /// This status with `Retry-After` in seconds.
    RetryAfter(u16, u32),
    /// An HTML page with this status, as from a captive portal or a proxy.
    Html(u16),
    /// A redirect to a captive portal.
    Redirect,
    /// 200 with an empty body.
    Empty,
    /// The correct response breaks off in its body.
    Truncated,
    /// 200 with `Content-Encoding: gzip` and a body that is not gzip.
    BrokenGzip,
    /// The tokens, with an unsupported token type.
    OtherTokenType,
    /// An OAuth error (RFC 6749 §5.2), with any status.
    Error(u16, &'static str),
    /// 400 with an HTML page that contains the code of an OAuth error.
    ErrorPage(&'static str),
    /// 400 with an OAuth error that breaks off.
    TruncatedError(&'static str),
}

/// A moment of one refresh at the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// The request arrived. It is handled as usual.
    Arrived,
    /// The request arrived. It gets no response, whether or not it is carried out.
    Swallowed { carried_out: bool },
    /// The token is rotated; no byte of the response is sent.
    Committed,
    /// This many bytes of the response are sent, and no more follow.
    InReply { after: usize },
    /// The whole response is sent.
    Replied,
    /// The first MCP request with the new access token arrived. It gets no response.
    TokenUsed,
}

/// The faults and the breakpoint of a family.
#[derive(Default)]
pub(crate) struct Plan {
    pub faults: VecDeque<TokenFault>,
    pub breakpoint: Option<(Moment, Action)>,
}

impl BadResponse {
    /// Returns this response in place of the correct one, which is a status and a JSON body.
    pub(crate) fn respond(self, (status, mut body): (u16, Value), wire: &Wire) -> Response {
        match self {
            Self::Reset => {
                wire.break_off(0, End::Reset);
                return ().into_response();
            }
            Self::Closed => {
                wire.break_off(0, End::Close);
                return ().into_response();
            }
            Self::Silent => Reply::silent(),
            Self::Status(status) => Reply::text(status, "out of order"),
            Self::RetryAfter(status, seconds) => {
                Reply::text(status, "later").with("retry-after", &seconds.to_string())
            }
            Self::Html(status) => Reply::html_page(status),
            Self::Redirect => Reply::redirect(302, "http://127.0.0.1:9/portal"),
            Self::Empty => Reply::text(200, ""),
            Self::Truncated => truncated(Reply::json_with(status, body), wire),
            Self::BrokenGzip => {
                Reply::new(200, "application/json", "not gzip").with("content-encoding", "gzip")
            }
            Self::OtherTokenType => {
                body["token_type"] = json!("mac");
                Reply::json_with(status, body)
            }
            Self::Error(status, error) => Reply::oauth_error(status, error),
            Self::ErrorPage(error) => {
                let page = format!(r#"<!doctype html><pre>{{ "error": "{error}" }}</pre>"#);
                Reply::new(400, "text/html", page)
            }
            Self::TruncatedError(error) => truncated(Reply::oauth_error(400, error), wire),
        }
        .into_response()
    }
}

/// Returns the reply, and closes the connection within its body.
fn truncated(reply: Reply, wire: &Wire) -> Reply {
    wire.break_off(TRUNCATED_AT, End::Close);
    reply
}

/// The number of bytes that are sent. It is a position inside the body: the status line and headers take about 110
/// bytes, and the shortest truncated body has 25.
const TRUNCATED_AT: usize = 125;
