//! Metadata (RFC 9728, RFC 8414), registration (RFC 7591) and an authorization endpoint that says yes at once.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Shared;

/// Clients and codes that were given out.
#[derive(Default)]
pub(super) struct Issued {
    /// Redirect URIs by client.
    clients: HashMap<String, Vec<String>>,
    codes: HashMap<String, Code>,
}

/// A code that nobody has redeemed yet.
pub(super) struct Code {
    pub client_id: String,
    pub redirect_uri: String,
    /// `S256` of the verifier (RFC 7636).
    pub challenge: String,
}

impl Issued {
    /// A code is good once.
    pub fn redeem(&mut self, code: &str) -> Option<Code> {
        self.codes.remove(code)
    }
}

pub(super) async fn resource_metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!({ "resource": shared.resource(), "authorization_servers": [shared.origin] }))
}

pub(super) async fn server_metadata(State(shared): State<Arc<Shared>>) -> Json<Value> {
    let origin = &shared.origin;
    Json(json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "registration_endpoint": format!("{origin}/register"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    }))
}

#[derive(Deserialize)]
pub(super) struct Registration {
    redirect_uris: Vec<String>,
}

pub(super) async fn register(
    State(shared): State<Arc<Shared>>,
    Json(registration): Json<Registration>,
) -> Response {
    let mut issued = shared.issued();
    let client_id = format!("client-{}", issued.clients.len());
    let registered = json!({
        "client_id": client_id,
        "redirect_uris": registration.redirect_uris,
        "token_endpoint_auth_method": "none",
    });
    issued.clients.insert(client_id, registration.redirect_uris);
    (StatusCode::CREATED, Json(registered)).into_response()
}

#[derive(Deserialize)]
pub(super) struct AuthorizationRequest {
    client_id: String,
    redirect_uri: String,
    state: String,
    resource: String,
    code_challenge: String,
    code_challenge_method: String,
}

pub(super) async fn authorize(
    State(shared): State<Arc<Shared>>,
    Query(request): Query<AuthorizationRequest>,
) -> Response {
    let mut issued = shared.issued();
    let is_ours =
        issued.clients.get(&request.client_id).is_some_and(|uris| uris.contains(&request.redirect_uri));
    if !is_ours || request.resource != shared.resource() || request.code_challenge_method != "S256" {
        return (StatusCode::BAD_REQUEST, "This is no request of a client of ours.").into_response();
    }
    let code = format!("code-{:032x}", rand::random::<u128>());
    let back = [("code", code.as_str()), ("state", &request.state), ("iss", &shared.origin)];
    let back = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(back).finish();
    let address = format!("{}?{back}", request.redirect_uri);
    let AuthorizationRequest { client_id, redirect_uri, code_challenge: challenge, .. } = request;
    issued.codes.insert(code, Code { client_id, redirect_uri, challenge });
    Redirect::to(&address).into_response()
}
