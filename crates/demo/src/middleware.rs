//! Middleware for every request: the origin check, the configured latency and the request log.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::memory;
use crate::request_log::{self, GrantType, McpMethod, RequestRecord};
use crate::service::Service;

/// Rejects requests with a foreign `Host` or `Origin`, to prevent DNS rebinding and cross-site requests.
pub(crate) async fn require_local_origin(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let port = service.port;
    let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let is_local = |value: &header::HeaderValue, prefix: &str| {
        value
            .to_str()
            .ok()
            .and_then(|value| value.strip_prefix(prefix))
            .is_some_and(|host| hosts.iter().any(|allowed| allowed == host))
    };
    let headers = request.headers();
    if !headers.get(header::HOST).is_some_and(|host| is_local(host, "")) {
        return (StatusCode::FORBIDDEN, "this Host is not allowed").into_response();
    }
    if headers.get(header::ORIGIN).is_some_and(|origin| !is_local(origin, "http://")) {
        return (StatusCode::FORBIDDEN, "this Origin is not allowed").into_response();
    }
    next.run(request).await
}

/// Delays each request by the configured latency, and logs its response.
pub(crate) async fn delay_and_log(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let _running = service.running_requests.token();
    let method = request.method().to_string();
    let path: String = request.uri().path().chars().take(200).collect();
    if !service.options.latency.is_zero() {
        tokio::time::sleep(service.options.latency).await;
    }
    let response = next.run(request).await;
    let record = RequestRecord {
        method,
        path,
        grant_type: response.extensions().get::<GrantType>().map(|grant_type| grant_type.0.clone()),
        mcp_method: response.extensions().get::<McpMethod>().map(|method| method.0.clone()),
        status: response.status().as_u16(),
    };
    memory::push(&mut memory::lock(&service.request_log), record, request_log::CAPACITY);
    response
}
