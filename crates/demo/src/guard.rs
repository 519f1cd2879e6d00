//! What every request passes first: the check against DNS rebinding and foreign pages, the latency, and the ledger.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::requests::{GrantType, McpMethod, RequestRecord};
use crate::service::Service;

/// Refuses requests that were not addressed to this computer, or that a page of another origin sent. A website cannot
/// read this service by giving its own name our address, nor press Allow from afar.
pub(crate) async fn only_this_computer(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let port = service.port();
    let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
    let is_ours = |value: &header::HeaderValue, prefix: &str| {
        value
            .to_str()
            .ok()
            .and_then(|value| value.strip_prefix(prefix))
            .is_some_and(|host| hosts.iter().any(|h| h == host))
    };
    let headers = request.headers();
    if !headers.get(header::HOST).is_some_and(|host| is_ours(host, "")) {
        return (StatusCode::FORBIDDEN, "this Host is not ours").into_response();
    }
    if headers.get(header::ORIGIN).is_some_and(|origin| !is_ours(origin, "http://")) {
        return (StatusCode::FORBIDDEN, "this Origin is not ours").into_response();
    }
    next.run(request).await
}

/// Lets each request wait for the latency that the options name.
pub(crate) async fn be_far_away(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    if !service.options.latency.is_zero() {
        tokio::time::sleep(service.options.latency).await;
    }
    next.run(request).await
}

/// Writes each answered request into the ledger.
pub(crate) async fn keep_ledger(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let method = request.method().to_string();
    let path: String = request.uri().path().chars().take(200).collect();
    let response = next.run(request).await;
    service.requests.add(RequestRecord {
        method,
        path,
        grant_type: response.extensions().get::<GrantType>().map(|grant_type| grant_type.0.clone()),
        mcp_method: response.extensions().get::<McpMethod>().map(|method| method.0.clone()),
        status: response.status().as_u16(),
    });
    response
}
