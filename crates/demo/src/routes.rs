//! The HTTP routes and their middleware.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use crate::mcp::McpServer;
use crate::mcp::sse::{self, MESSAGES_PATH};
use crate::middleware::{delay_and_log, require_local_origin};
use crate::oauth::metadata::RESOURCE_METADATA_PATH;
use crate::oauth::{access, authorize, consent, device, metadata, registration, revocation, token};
use crate::options::Transport;
use crate::service::Service;

/// The largest accepted body of the OAuth endpoints.
const MAX_BODY: usize = 64 * 1024;

/// Builds the demo's router. Cancelling `stopping` closes open streams.
pub(crate) fn router(service: Arc<Service>, stopping: &CancellationToken) -> Router {
    let mcp = StreamableHttpService::new(
        {
            let service = Arc::clone(&service);
            move || Ok(McpServer::new(Arc::clone(&service)))
        },
        Arc::clone(&service.sessions),
        // `require_local_origin` has checked the host and the origin.
        StreamableHttpServerConfig::default().with_cancellation_token(stopping.child_token()),
    );
    let mcp = match service.options.transport {
        Transport::StreamableHttp => Router::new().route_service("/mcp", mcp),
        Transport::Sse => Router::new()
            .route("/mcp", get(sse::open))
            .route(MESSAGES_PATH, post(sse::receive))
            .with_state((Arc::clone(&service), stopping.clone())),
    };
    let protected = mcp.layer(from_fn_with_state(Arc::clone(&service), access::require_token));

    Router::new()
        .route(RESOURCE_METADATA_PATH, get(metadata::protected_resource))
        .route("/.well-known/oauth-authorization-server", get(metadata::authorization_server))
        .route("/register", post(registration::register))
        .route("/authorize", get(authorize::authorize).post(consent::decide))
        .route("/device_authorization", post(device::authorize))
        .route("/device", get(device::page).post(device::submit))
        .route("/token", post(token::token))
        .route("/revoke", post(revocation::revoke))
        .with_state(Arc::clone(&service))
        .merge(protected)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(Arc::clone(&service), require_local_origin))
        .layer(from_fn_with_state(service, delay_and_log))
}
