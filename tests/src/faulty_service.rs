//! A service on loopback that answers as it should, save for one fault.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Result;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

/// What is wrong with the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing, except that it never speaks MCP: it is for sign-ins that must not succeed.
    None,
    /// Answers every request with a page of HTML, as a parked domain or a captive portal does.
    HtmlEverywhere,
    /// Asks for a sign-in, but its metadata is a page of HTML.
    HtmlMetadata,
    /// The metadata names another issuer.
    OtherIssuer,
    /// The metadata names this authorization endpoint.
    AuthorizationEndpoint(String),
    /// No registration endpoint.
    NoRegistration,
    /// Registration is refused with `invalid_client_metadata`.
    RegistrationRefused,
    /// The token endpoint fails with this status.
    TokenStatus(u16),
}

/// A running service; dropping it ends it.
#[derive(Debug)]
pub struct FaultyService {
    origin: String,
    requests: Arc<Mutex<Vec<String>>>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Clone)]
struct Shared {
    origin: String,
    fault: Fault,
    requests: Arc<Mutex<Vec<String>>>,
}

impl FaultyService {
    /// Listens on a free port of 127.0.0.1.
    pub async fn start(fault: Fault) -> Result<FaultyService> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let requests = Arc::default();
        let shared = Shared { origin: origin.clone(), fault, requests: Arc::clone(&requests) };
        let router = Router::new()
            .route("/.well-known/oauth-protected-resource/mcp", get(resource_metadata))
            .route("/.well-known/oauth-authorization-server", get(server_metadata))
            .route("/register", post(register))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .fallback(mcp)
            .layer(axum::middleware::from_fn_with_state(shared.clone(), note))
            .with_state(shared);
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                eprintln!("the stand-in service ended: {error}");
            }
        });
        Ok(FaultyService { origin, requests, server })
    }

    /// The address of its MCP endpoint.
    pub fn url(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// `METHOD /path` of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for FaultyService {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn note(
    State(shared): State<Shared>,
    request: axum::extract::Request,
    next: axum::middleware::Next,
) -> Response {
    let line = format!("{} {}", request.method(), request.uri().path());
    shared.requests.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    if shared.fault == Fault::HtmlEverywhere {
        return page().into_response();
    }
    next.run(request).await
}

fn page() -> Html<&'static str> {
    Html("<!doctype html><title>Welcome</title><h1>This domain is for sale</h1>")
}

async fn mcp(State(shared): State<Shared>, headers: HeaderMap) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let challenge = format!(
        "Bearer resource_metadata=\"{}/.well-known/oauth-protected-resource/mcp\", scope=\"notes:read\"",
        shared.origin
    );
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
}

async fn resource_metadata(State(shared): State<Shared>) -> Response {
    if shared.fault == Fault::HtmlMetadata {
        return page().into_response();
    }
    Json(json!({
        "resource": format!("{}/mcp", shared.origin),
        "authorization_servers": [shared.origin],
    }))
    .into_response()
}

async fn server_metadata(State(shared): State<Shared>) -> Json<Value> {
    let origin = &shared.origin;
    let mut metadata = json!({
        "issuer": origin,
        "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"),
        "registration_endpoint": format!("{origin}/register"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    });
    match &shared.fault {
        Fault::OtherIssuer => metadata["issuer"] = json!("https://evil.example"),
        Fault::AuthorizationEndpoint(endpoint) => metadata["authorization_endpoint"] = json!(endpoint),
        Fault::NoRegistration => {
            metadata.as_object_mut().and_then(|fields| fields.remove("registration_endpoint"));
        }
        Fault::None
        | Fault::HtmlEverywhere
        | Fault::HtmlMetadata
        | Fault::RegistrationRefused
        | Fault::TokenStatus(_) => {}
    }
    Json(metadata)
}

async fn register(State(shared): State<Shared>, Json(mut client): Json<Value>) -> Response {
    if shared.fault == Fault::RegistrationRefused {
        let refusal =
            json!({ "error": "invalid_client_metadata", "error_description": "This app is not welcome" });
        return (StatusCode::BAD_REQUEST, Json(refusal)).into_response();
    }
    client["client_id"] = json!("client-1");
    (StatusCode::CREATED, Json(client)).into_response()
}

#[derive(Deserialize)]
struct AuthorizationRequest {
    redirect_uri: String,
    state: String,
}

async fn authorize(Query(request): Query<AuthorizationRequest>) -> Redirect {
    Redirect::to(&format!("{}?code=code-1&state={}", request.redirect_uri, request.state))
}

async fn token(State(shared): State<Shared>, Form(_): Form<Vec<(String, String)>>) -> Response {
    match shared.fault {
        Fault::TokenStatus(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, "out of order").into_response()
        }
        _ => Json(json!({ "access_token": "access-1", "token_type": "Bearer", "expires_in": 600 }))
            .into_response(),
    }
}
