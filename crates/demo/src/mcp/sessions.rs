//! Limits the number of sessions in the `initialize` eras.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;

use super::call::McpCall;

/// Unused sessions expire after a few minutes.
const MAX_SESSIONS: usize = 500;

/// Rejects a new session while there are too many.
pub(crate) async fn limit_sessions(
    State(sessions): State<Arc<LocalSessionManager>>,
    request: Request,
    next: Next,
) -> Response {
    let opens_session = request
        .extensions()
        .get::<McpCall>()
        .is_some_and(|call| call.method.as_deref() == Some("initialize"));
    if opens_session && sessions.sessions.read().await.len() >= MAX_SESSIONS {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many sessions").into_response();
    }
    next.run(request).await
}
