//! Which path is answered by whom, and what holds for all of them.

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use tokio_util::sync::CancellationToken;

use crate::guard::{be_far_away, keep_ledger, only_this_computer};
use crate::mcp::{NotebookServer, limit_sessions};
use crate::oauth::metadata::RESOURCE_METADATA_PATH;
use crate::oauth::{access, authorize, consent, metadata, registration, revocation, token};
use crate::service::Service;

/// The largest body that the OAuth endpoints read.
const MAX_BODY: usize = 64 * 1024;

/// All of it; `ending` closes the streams that would otherwise stay open.
pub(crate) fn router(service: Arc<Service>, ending: &CancellationToken) -> Router {
    let sessions = Arc::clone(&service.sessions);
    let mcp = StreamableHttpService::new(
        {
            let service = Arc::clone(&service);
            move || Ok(NotebookServer::new(Arc::clone(&service)))
        },
        Arc::clone(&sessions),
        StreamableHttpServerConfig::default()
            .with_allowed_hosts(["127.0.0.1", "localhost"].map(|host| format!("{host}:{}", service.port())))
            .with_allowed_origins([service.issuer()])
            .with_cancellation_token(ending.child_token()),
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
        .layer(from_fn_with_state(Arc::clone(&service), only_this_computer))
        .layer(from_fn_with_state(Arc::clone(&service), be_far_away))
        .layer(from_fn_with_state(service, keep_ledger))
}
