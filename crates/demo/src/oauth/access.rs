//! The access check of the protected resource. A request without a valid token gets a challenge (RFC 6750,
//! RFC 9728 §5.1).

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;

use super::grant::AccessToken;
use super::metadata::RESOURCE_METADATA_PATH;
use super::scopes::{Scope, Scopes};
use crate::mcp::call::McpCall;
use crate::options::{Guard, ListFault};
use crate::request_log::McpMethod;
use crate::service::Service;

/// The largest accepted MCP message.
const MAX_MESSAGE: usize = 256 * 1024;

/// Passes a request to the MCP server if its token has the required scope.
pub(crate) async fn require_token(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let granted = granted_scopes(&service, request.headers(), service.clock.now());
    if let (Err(why), Guard::Everything) = (&granted, service.options.guard) {
        return unauthorized(&service, *why);
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, MAX_MESSAGE).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "the message is too long").into_response();
    };
    let call = McpCall::parse(body);
    let method = call.method.clone();
    let rejection = match (&granted, service.options.guard) {
        (Ok(scopes), _) => {
            let missing = call.required_scope().filter(|scope| !scopes.contains(*scope));
            missing.map(|scope| insufficient_scope(&service, scope)).or_else(|| list_fault(&service, &call))
        }
        (Err(_), _) if !call.is_tool_call() => None,
        (Err(_), Guard::ToolCallsInResult) => Some(call.unauthorized_in_result()),
        (Err(why), Guard::Everything | Guard::ToolCallsOnly) => Some(unauthorized(&service, *why)),
    };
    let mut response = match rejection {
        Some(rejection) => rejection,
        None => {
            let mut request = Request::from_parts(parts, Body::from(call.body.clone()));
            request.headers_mut().remove(header::CONTENT_LENGTH);
            request.extensions_mut().insert(call);
            next.run(request).await
        }
    };
    if let Some(method) = method {
        response.extensions_mut().insert(McpMethod(method));
    }
    response
}

/// The reason for a 401.
#[derive(Clone, Copy)]
enum NoAccess {
    /// The request has no token.
    Missing,
    /// The token is invalid, with an error description.
    Invalid(&'static str),
}

fn granted_scopes(service: &Service, headers: &HeaderMap, now: Timestamp) -> Result<Scopes, NoAccess> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Err(NoAccess::Missing) };
    let token = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or(NoAccess::Missing)?;
    let token: AccessToken = service.signer.open(token).ok_or(NoAccess::Invalid("unknown token"))?;
    if token.issuer != service.issuer() || token.audience != service.resource() {
        return Err(NoAccess::Invalid("the token is for another resource"));
    }
    if token.epoch < service.epochs.access() || service.families.is_revoked(&token.family) {
        return Err(NoAccess::Invalid("the token has been revoked"));
    }
    if token.expires_at <= now {
        return Err(NoAccess::Invalid("the token has expired"));
    }
    Scopes::parse(&token.scope).ok_or(NoAccess::Invalid("the token has an unknown scope"))
}

fn unauthorized(service: &Service, why: NoAccess) -> Response {
    let scope = service.options.challenge_scopes.join(" ");
    let challenge = match why {
        NoAccess::Missing => {
            format!(r#"Bearer resource_metadata="{}", scope="{scope}""#, metadata_url(service))
        }
        NoAccess::Invalid(why) => format!(
            r#"Bearer error="invalid_token", error_description="{why}", resource_metadata="{}", scope="{scope}""#,
            metadata_url(service)
        ),
    };
    challenged(StatusCode::UNAUTHORIZED, &challenge, "a token is required")
}

fn list_fault(service: &Service, call: &McpCall) -> Option<Response> {
    let fault = service.list_fault().filter(|_| call.method.as_deref() == Some("tools/list"))?;
    Some(match fault {
        ListFault::BadGateway => {
            (StatusCode::BAD_GATEWAY, "the upstream server did not respond").into_response()
        }
        ListFault::MorePermissionNeeded => insufficient_scope(service, Scope::NotesWrite),
    })
}

fn insufficient_scope(service: &Service, required: Scope) -> Response {
    let challenge = format!(
        r#"Bearer error="insufficient_scope", error_description="more permission is required", resource_metadata="{}", scope="{}""#,
        metadata_url(service),
        required.name()
    );
    challenged(StatusCode::FORBIDDEN, &challenge, "more permission is required")
}

fn metadata_url(service: &Service) -> String {
    format!("{}{RESOURCE_METADATA_PATH}", service.issuer())
}

fn challenged(status: StatusCode, challenge: &str, text: &'static str) -> Response {
    let mut response = (status, text).into_response();
    if let Ok(challenge) = HeaderValue::from_str(challenge) {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
