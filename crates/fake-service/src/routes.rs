//! Dispatch of a request to a scripted reply or to its endpoint.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{ConnectInfo, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::reply::Silent;
use crate::request::Request;
use crate::state::Shared;
use crate::wire::Wire;
use crate::{Reply, authorization, mcp, token_endpoint};

pub(crate) async fn serve(State(shared): State<Arc<Shared>>, request: axum::extract::Request) -> Response {
    let wire = request.extensions().get::<ConnectInfo<Wire>>();
    let wire = wire.map_or_else(Wire::default, |ConnectInfo(wire)| wire.clone());
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else { return StatusCode::BAD_REQUEST.into_response() };
    let request = shared.record(Request::new(parts, body));
    let response = match shared.scripted(&request) {
        Some(response) => response,
        None if shared.has_endpoints => respond(&shared, &wire, &request).await,
        None => Reply::text(404, "not scripted").into_response(),
    };
    if response.extensions().get::<Silent>().is_some() {
        return std::future::pending().await;
    }
    response
}

async fn respond(shared: &Shared, wire: &Wire, request: &Request) -> Response {
    let method = request.line.split(' ').next().unwrap_or_default();
    match (method, request.path.as_str()) {
        ("GET", authorization::RESOURCE_METADATA) => Reply::json(shared.resource_metadata()).into_response(),
        ("GET", authorization::SERVER_METADATA) => Reply::json(shared.server_metadata()).into_response(),
        ("POST", "/register") => shared.register(request).into_response(),
        ("GET", "/authorize") => match shared.authorize(&request.line) {
            Ok(callback) => Reply::redirect(303, &callback).into_response(),
            Err(error) => Reply::text(400, error).into_response(),
        },
        ("POST", "/token") => token_endpoint::respond(shared, wire, request).await,
        ("POST", "/revoke") => StatusCode::OK.into_response(),
        ("POST", _) => mcp::respond(shared, request),
        (_, "/mcp") => StatusCode::METHOD_NOT_ALLOWED.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
