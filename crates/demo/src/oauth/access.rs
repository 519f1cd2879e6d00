//! The guard of the protected resource: who comes without a good token is told where to get one (RFC 6750, RFC 9728 §5.1).

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
use crate::requests::McpMethod;
use crate::service::Service;

/// The largest MCP message that is read.
const MAX_MESSAGE: usize = 256 * 1024;

/// Lets a request pass to the MCP server if its token is good for what it asks.
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
    let refusal = match (&granted, service.options.guard) {
        (Ok(scopes), _) => {
            let missing = call.needs().filter(|needed| !scopes.contains(*needed));
            missing.map(|needed| insufficient_scope(&service, needed)).or_else(|| list_fault(&service, &call))
        }
        (Err(_), _) if !call.is_tool_call() => None,
        (Err(_), Guard::CallsInTheirResult) => Some(call.refused_in_result()),
        (Err(why), Guard::Everything | Guard::CallsAlone) => Some(unauthorized(&service, *why)),
    };
    let mut response = match refusal {
        Some(refusal) => refusal,
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

/// Why a token is not taken.
#[derive(Clone, Copy)]
enum NoAccess {
    /// None was sent.
    Missing,
    /// The one that was sent is no good, for this reason.
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
    let token: AccessToken =
        service.signer.open(token).ok_or(NoAccess::Invalid("the token is not one of ours"))?;
    if token.issuer != service.issuer() || token.audience != service.resource() {
        return Err(NoAccess::Invalid("the token is for another resource"));
    }
    if token.epoch < service.epochs.access() || service.families.is_revoked(&token.family) {
        return Err(NoAccess::Invalid("the token has been revoked"));
    }
    if token.expires_at <= now {
        return Err(NoAccess::Invalid("the token has expired"));
    }
    Scopes::parse(&token.scope).ok_or(NoAccess::Invalid("the token names a scope that is gone"))
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
    challenged(StatusCode::UNAUTHORIZED, &challenge, "a token is needed")
}

fn list_fault(service: &Service, call: &McpCall) -> Option<Response> {
    let fault = service.list_fault().filter(|_| call.method.as_deref() == Some("tools/list"))?;
    Some(match fault {
        ListFault::BadGateway => (StatusCode::BAD_GATEWAY, "nobody answers behind me").into_response(),
        ListFault::MorePermissionNeeded => insufficient_scope(service, Scope::NotesWrite),
    })
}

fn insufficient_scope(service: &Service, needed: Scope) -> Response {
    let challenge = format!(
        r#"Bearer error="insufficient_scope", error_description="more permission is needed", resource_metadata="{}", scope="{}""#,
        metadata_url(service),
        needed.name()
    );
    challenged(StatusCode::FORBIDDEN, &challenge, "more permission is needed")
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
