//! The access check of the protected resource. A request without a valid token gets a challenge (RFC 6750,
//! RFC 9449 §7.1, RFC 9728 §5.1).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::dpop::{self, Checker, ProvenRequest, Refusal};
use super::grant::{Token, TokenKind};
use super::metadata::RESOURCE_METADATA_PATH;
use super::scopes::{Scope, Scopes};
use crate::mcp::call::McpCall;
use crate::memory::lock;
use crate::options::{Dpop, Guard, ListFault};
use crate::request_log::McpMethod;
use crate::service::Service;

/// The largest accepted MCP message.
const MAX_MESSAGE: usize = 256 * 1024;

/// Answers a request, with a new nonce if the demo requires nonces.
pub(crate) async fn require_token(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let mut response = respond(&service, request, next).await;
    dpop::add_nonce(&service, Checker::ResourceServer, response.headers_mut(), service.clock.now());
    response
}

/// Passes a request to the MCP server if its token has the required scope, or if the guard requires no token for it.
async fn respond(service: &Service, request: Request, next: Next) -> Response {
    let granted = granted_scopes(service, request.method(), request.headers(), service.clock.now());
    if let (Err(why), Guard::Everything) = (&granted, service.options.guard) {
        return unauthorized(service, *why);
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_MESSAGE).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the message is too long").into_response();
    };
    let call = McpCall::parse(body);
    let rejection = match (&granted, service.options.guard) {
        (Ok(scopes), _) => {
            let missing = call.required_scope().filter(|scope| !scopes.contains(*scope));
            missing.map(|scope| insufficient_scope(service, scope)).or_else(|| list_fault(service, &call))
        }
        (Err(_), _) if !call.is_tool_call() => None,
        (Err(_), Guard::UnauthorizedInResult) => Some(call.unauthorized_in_result()),
        (Err(why), Guard::Everything | Guard::ToolCallsOnly) => Some(unauthorized(service, *why)),
    };
    let mut response = match rejection {
        Some(rejection) => rejection,
        None => {
            let mut request = Request::from_parts(parts, Body::from(call.body));
            request.headers_mut().remove(header::CONTENT_LENGTH);
            next.run(request).await
        }
    };
    if let Some(method) = call.method {
        response.extensions_mut().insert(McpMethod(method));
    }
    response
}

/// Returns the scopes of the request's token. The error describes an invalid token or proof, or is `None` if there is no
/// token.
fn granted_scopes(
    service: &Service,
    method: &Method,
    headers: &HeaderMap,
    now: Timestamp,
) -> Result<Scopes, Option<Refusal>> {
    let invalid = |why| Some(("invalid_token", why));
    let authorization =
        headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.split_once(' '));
    let (scheme, text) = authorization.ok_or(None)?;
    let (is_bound, text) = (scheme.eq_ignore_ascii_case("dpop"), text.trim());
    if !is_bound && !scheme.eq_ignore_ascii_case("bearer") {
        return Err(None);
    }
    let token = Token::check(service, TokenKind::Access, text, now).map_err(invalid)?;
    if token.key.is_some() != is_bound {
        return Err(invalid("the token is of another type"));
    }
    if let Some(key) = &token.key {
        let request = ProvenRequest { method, url: &service.resource, headers, token: Some(text) };
        if dpop::check(service, Checker::ResourceServer, &request, now).map_err(Some)? != *key {
            return Err(Some(("invalid_dpop_proof", "the token is bound to another key")));
        }
    }
    Scopes::parse(&token.scope).ok_or(invalid("the token has an unknown scope"))
}

fn unauthorized(service: &Service, error: Option<Refusal>) -> Response {
    let scope = service.options.challenge_scopes.join(" ");
    (StatusCode::UNAUTHORIZED, challenge(service, error, &scope), "a token is required").into_response()
}

fn list_fault(service: &Service, call: &McpCall) -> Option<Response> {
    let fault = *lock(&service.list_fault);
    Some(match fault.filter(|_| call.method.as_deref() == Some("tools/list"))? {
        ListFault::BadGateway => {
            (StatusCode::BAD_GATEWAY, "the upstream server did not respond").into_response()
        }
        ListFault::InsufficientScope => insufficient_scope(service, Scope::NotesWrite),
    })
}

fn insufficient_scope(service: &Service, required: Scope) -> Response {
    let text = "more permission is required";
    let challenge = challenge(service, Some(("insufficient_scope", text)), required.name());
    (StatusCode::FORBIDDEN, challenge, text).into_response()
}

/// Returns the header with the challenge. `error` is a code with its description.
fn challenge(service: &Service, error: Option<(&str, &str)>, scope: &str) -> [(HeaderName, String); 1] {
    let error = error.map_or_else(String::new, |(code, description)| {
        format!(r#"error="{code}", error_description="{description}", "#)
    });
    let metadata = format!("{}{RESOURCE_METADATA_PATH}", service.issuer);
    let scheme = match service.options.dpop {
        Dpop::Off => "Bearer",
        Dpop::Required | Dpop::RequiredWithNonces => "DPoP",
    };
    let challenge = format!(r#"{scheme} {error}resource_metadata="{metadata}", scope="{scope}""#);
    [(header::WWW_AUTHENTICATE, challenge)]
}
