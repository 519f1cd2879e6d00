//! A limit on the sessions of the `initialize` eras, which are the only thing the MCP server keeps.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

use super::call::McpCall;

/// Sessions nobody uses end by themselves after a few minutes.
const MAX_SESSIONS: usize = 500;

/// Refuses a new session while there are too many.
pub(crate) async fn limit_sessions(
    State(sessions): State<Arc<LocalSessionManager>>,
    request: Request,
    next: Next,
) -> Response {
    let opens_one = request
        .extensions()
        .get::<McpCall>()
        .is_some_and(|call| call.method.as_deref() == Some("initialize"));
    if opens_one && sessions.sessions.read().await.len() >= MAX_SESSIONS {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sessions").into_response();
    }
    next.run(request).await
}
