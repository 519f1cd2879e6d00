//! Metadata of the protected resource (RFC 9728) and the authorization server (RFC 8414).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::scopes::Scope;
use super::{device, dpop};
use crate::options::Dpop;
use crate::service::Service;

/// The path of the protected resource metadata (RFC 9728 §3.1).
pub(crate) const RESOURCE_METADATA_PATH: &str = "/.well-known/oauth-protected-resource/mcp";

/// `GET /.well-known/oauth-protected-resource/mcp`
pub(crate) async fn protected_resource(State(service): State<Arc<Service>>) -> Json<Value> {
    let mut metadata = json!({
        "resource": service.resource,
        "resource_name": "Usher demo",
        "authorization_servers": [service.issuer],
        "scopes_supported": service.options.challenge_scopes,
        "bearer_methods_supported": ["header"],
    });
    if service.options.dpop != Dpop::Off {
        metadata["dpop_bound_access_tokens_required"] = true.into();
    }
    Json(metadata)
}

/// `GET /.well-known/oauth-authorization-server`
pub(crate) async fn authorization_server(State(service): State<Arc<Service>>) -> Json<Value> {
    let issuer = &service.issuer;
    let methods = ["none", "client_secret_basic", "client_secret_post"];
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "registration_endpoint": format!("{issuer}/register"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "device_authorization_endpoint": format!("{issuer}/device_authorization"),
        "scopes_supported": Scope::ALL.map(Scope::name),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", device::GRANT_TYPE, "refresh_token"],
        "token_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_methods_supported": methods,
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    });
    if service.options.dpop != Dpop::Off {
        metadata["dpop_signing_alg_values_supported"] = json!([dpop::ALGORITHM]);
    }
    Json(metadata)
}
