//! A service whose token endpoint answers when the test lets it, and which rotates its refresh token before that.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use usher_engine::{Engine, SignInOptions};
use usher_secrets::{SecretStore, StoreKind, StoredGrant};

use crate::fixture::*;

#[derive(Clone)]
pub struct Service {
    pub origin: String,
    /// One permit an answer of the token endpoint.
    gate: Arc<Semaphore>,
    asked: Arc<Semaphore>,
    pub revoked: Arc<Mutex<Vec<String>>>,
    refused: Arc<AtomicUsize>,
    waiting: Arc<AtomicUsize>,
    family: Arc<Mutex<Family>>,
}

struct Family {
    rotation: usize,
    /// Every refresh token that came, in this order.
    sent: Vec<String>,
    takes_the_one_before: bool,
    token_type: &'static str,
}

fn refresh_token(rotation: usize) -> String {
    if rotation == 0 { "first".to_owned() } else { format!("rotated-{rotation}") }
}

async fn metadata(State(service): State<Service>) -> Json<Value> {
    let at = |path: &str| format!("{}{path}", service.origin);
    Json(json!({
        "resource": at("/mcp"), "authorization_servers": [service.origin],
        "issuer": service.origin, "authorization_endpoint": at("/authorize"), "token_endpoint": at("/token"),
        "registration_endpoint": at("/register"), "revocation_endpoint": at("/revoke"),
        "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
    }))
}

async fn register(Json(client): Json<Value>) -> (StatusCode, Json<Value>) {
    let registered = json!({
        "client_id": "client", "redirect_uris": client["redirect_uris"], "token_endpoint_auth_method": "none",
    });
    (StatusCode::CREATED, Json(registered))
}

/// What is spent is spent when the request came, whether or not its answer arrives.
async fn token(State(service): State<Service>, form: String) -> Response {
    let granted = service.family.lock().unwrap().grant(&form);
    let _waiting = Waiting::begin(&service);
    service.asked.add_permits(1);
    service.gate.acquire().await.unwrap().forget();
    match granted {
        Some(tokens) => Json(tokens).into_response(),
        None => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    }
}

/// Counts the token requests that have no answer yet; one whose client goes away ends, too.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn begin(service: &Service) -> Self {
        service.waiting.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(&service.waiting))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Family {
    fn grant(&mut self, form: &str) -> Option<Value> {
        let form: Vec<(String, String)> = url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        if let Some((_, sent)) = form.iter().find(|(name, _)| name == "refresh_token") {
            self.sent.push(sent.clone());
            if *sent == refresh_token(self.rotation) {
                self.rotation += 1;
            } else if !self.takes_the_one_before || *sent != refresh_token(self.rotation - 1) {
                return None;
            }
        } else {
            self.rotation += 1;
        }
        Some(json!({
            "access_token": "new", "refresh_token": refresh_token(self.rotation), "expires_in": 3600,
            "token_type": self.token_type,
        }))
    }
}

async fn revoke(State(service): State<Service>, form: String) {
    service.revoked.lock().unwrap().push(form);
}

async fn mcp(State(service): State<Service>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    if headers.get("authorization").is_none_or(|token| token != "Bearer new") {
        service.refused.fetch_add(1, Ordering::Relaxed);
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let result = match message["method"].as_str() {
        Some("server/discover") => json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} },
            "ttlMs": 0, "cacheScope": "private",
        }),
        _ => json!({ "resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "private" }),
    };
    Json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result })).into_response()
}

impl Service {
    pub async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let family =
            Family { rotation: 0, sent: Vec::new(), takes_the_one_before: false, token_type: "Bearer" };
        let service = Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            gate: Arc::new(Semaphore::new(0)),
            asked: Arc::new(Semaphore::new(0)),
            revoked: Arc::default(),
            refused: Arc::default(),
            waiting: Arc::default(),
            family: Arc::new(Mutex::new(family)),
        };
        let router = Router::new()
            .route("/.well-known/{*rest}", get(metadata))
            .route("/register", post(register))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .route("/mcp", post(mcp))
            .with_state(service.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        service
    }

    /// From now on the refresh token before the current one is answered once more, as many services do for seconds.
    pub fn take_the_one_before(&self) {
        self.family.lock().unwrap().takes_the_one_before = true;
    }

    pub fn issue_tokens_of_type(&self, token_type: &'static str) {
        self.family.lock().unwrap().token_type = token_type;
    }

    pub fn sent(&self) -> Vec<String> {
        self.family.lock().unwrap().sent.clone()
    }

    /// How many MCP requests came with no token, or another than the newest.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::Relaxed)
    }

    pub async fn until_asked(&self) {
        tokio::time::timeout(PATIENCE, self.asked.acquire()).await.unwrap().unwrap().forget();
    }

    /// Until the service has noticed that those who asked are gone.
    pub async fn until_left(&self) {
        let wait = async {
            while self.waiting.load(Ordering::SeqCst) > 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    pub fn is_asked_no_more(&self) -> bool {
        self.asked.available_permits() == 0
    }

    pub fn answer(&self) {
        self.gate.add_permits(1);
    }

    pub async fn until_revoked(&self) {
        let wait = async {
            while self.revoked.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    pub fn expired_grant(&self) -> StoredGrant {
        StoredGrant {
            access_token: "old".into(),
            refresh_token: Some("first".into()),
            expires_at: Some("2020-01-01T00:00:00Z".parse().unwrap()),
            scopes: vec![],
            account: None,
            issuer: self.origin.clone(),
            token_endpoint: format!("{}/token", self.origin),
            revocation_endpoint: Some(format!("{}/revoke", self.origin)),
            client_id: "client".to_owned(),
            resource: format!("{}/mcp", self.origin),
            sends_resource: true,
            auth_method: "none".to_owned(),
        }
    }

    /// A place whose kept sign-in has to be renewed at once.
    pub async fn known_to(&self, place: &Place) -> SecretStore {
        place.write_config(&config(&[("demo", &format!("{}/mcp", self.origin))]));
        let store = SecretStore::open(StoreKind::File(place.path("secrets")));
        store.put_grant("demo", &self.expired_grant()).await.unwrap();
        store
    }
}

pub async fn engine_at(place: &Place, service: &Service) -> (Engine, SecretStore) {
    place.write_config(&config(&[("demo", &format!("{}/mcp", service.origin))]));
    (place.start().await, SecretStore::open(StoreKind::File(place.path("secrets"))))
}

/// Begins a sign-in and gives back the answer of the browser.
pub async fn answer_of_the_browser(engine: &Engine) -> String {
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let address = url::Url::parse(&request.authorization_url).unwrap();
    let state = address.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    format!("{}?code=code&state={state}", request.redirect_uri)
}
