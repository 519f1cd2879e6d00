//! The HTTP routes and their middleware.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use crate::mcp::{McpServer, limit_sessions};
use crate::middleware::{add_latency, log_request, require_local_origin};
use crate::oauth::metadata::RESOURCE_METADATA_PATH;
use crate::oauth::{access, authorize, consent, metadata, registration, revocation, token};
use crate::service::Service;

/// The largest accepted body of the OAuth endpoints.
const MAX_BODY: usize = 64 * 1024;

/// The demo's router. `stopping` closes open streams.
pub(crate) fn router(service: Arc<Service>, stopping: &CancellationToken) -> Router {
    let sessions = Arc::clone(&service.sessions);
    let mcp = StreamableHttpService::new(
        {
            let service = Arc::clone(&service);
            move || Ok(McpServer::new(Arc::clone(&service)))
        },
        Arc::clone(&sessions),
        StreamableHttpServerConfig::default()
            .with_allowed_hosts(["127.0.0.1", "localhost"].map(|host| format!("{host}:{}", service.port())))
            .with_allowed_origins([service.issuer()])
            .with_cancellation_token(stopping.child_token()),
    );
    let protected = Router::new()
        .route_service("/mcp", mcp)
        .layer(from_fn_with_state(sessions, limit_sessions))
        .layer(from_fn_with_state(Arc::clone(&service), access::require_token));

    Router::new()
        .route(RESOURCE_METADATA_PATH, get(metadata::protected_resource))
        .route("/.well-known/oauth-authorization-server", get(metadata::authorization_server))
        .route("/register", post(registration::register))
        .route("/authorize", get(authorize::authorize).post(consent::decide))
        .route("/token", post(token::token))
        .route("/revoke", post(revocation::revoke))
        .with_state(Arc::clone(&service))
        .merge(protected)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::clone(&service), require_local_origin))
        .layer(from_fn_with_state(Arc::clone(&service), add_latency))
        .layer(from_fn_with_state(service, log_request))
}
