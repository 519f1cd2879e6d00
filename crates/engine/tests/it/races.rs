//! What happens while a token is on its way: the token endpoint here waits until the test lets it answer.

use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use usher_engine::{Code, Engine, SignInOptions, Status};
use usher_secrets::{SecretStore, StoreKind, StoredGrant};

use crate::fixture::*;

#[derive(Clone)]
struct Service {
    origin: String,
    /// One permit an answer of the token endpoint.
    gate: Arc<Semaphore>,
    asked: Arc<Semaphore>,
    revoked: Arc<Mutex<Vec<String>>>,
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

async fn token(State(service): State<Service>) -> Json<Value> {
    service.asked.add_permits(1);
    service.gate.acquire().await.unwrap().forget();
    Json(json!({
        "access_token": "new", "refresh_token": "rotated", "expires_in": 3600, "token_type": "Bearer",
    }))
}

async fn revoke(State(service): State<Service>, form: String) {
    service.revoked.lock().unwrap().push(form);
}

async fn mcp(headers: HeaderMap, Json(message): Json<Value>) -> Response {
    if headers.get("authorization").is_none_or(|token| token != "Bearer new") {
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
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let service = Self {
            origin: format!("http://{}", listener.local_addr().unwrap()),
            gate: Arc::new(Semaphore::new(0)),
            asked: Arc::new(Semaphore::new(0)),
            revoked: Arc::default(),
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

    async fn until_asked(&self) {
        tokio::time::timeout(PATIENCE, self.asked.acquire()).await.unwrap().unwrap().forget();
    }

    fn answer(&self) {
        self.gate.add_permits(1);
    }

    async fn until_revoked(&self) {
        let wait = async {
            while self.revoked.lock().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap();
    }

    fn expired_grant(&self) -> StoredGrant {
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
}

async fn engine_at(place: &Place, service: &Service) -> (Engine, SecretStore) {
    place.write_config(&config(&[("demo", &format!("{}/mcp", service.origin))]));
    (place.start().await, SecretStore::open(StoreKind::File(place.path("secrets"))))
}

/// Begins a sign-in and gives back the answer of the browser.
async fn answer_of_the_browser(engine: &Engine) -> String {
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let address = url::Url::parse(&request.authorization_url).unwrap();
    let state = address.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    format!("{}?code=code&state={state}", request.redirect_uri)
}

#[tokio::test]
async fn a_sign_out_in_mid_renewal_stays_a_sign_out() {
    let (place, service) = (Place::new(), Service::start().await);
    let store = SecretStore::open(StoreKind::File(place.path("secrets")));
    store.put_grant("demo", &service.expired_grant()).await.unwrap();
    let (engine, store) = engine_at(&place, &service).await;
    service.until_asked().await;
    let server = id();
    let (outcome, ()) = tokio::join!(engine.sign_out(&server), async { service.answer() });
    outcome.unwrap();
    assert!(store.grant("demo").await.unwrap().is_none());
    service.until_revoked().await;
    assert!(service.revoked.lock().unwrap()[0].contains("rotated"), "the newest one is revoked");
    engine.stop().await;
    assert!(store.grant("demo").await.unwrap().is_none());
}

#[tokio::test]
async fn a_cancel_in_mid_exchange_keeps_nothing() {
    let (place, service) = (Place::new(), Service::start().await);
    let (engine, store) = engine_at(&place, &service).await;
    let callback = answer_of_the_browser(&engine).await;
    let cancelled = async {
        service.until_asked().await;
        engine.cancel_sign_in(&id()).await;
        service.answer();
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), cancelled);
    assert_eq!(outcome.unwrap_err().code, Code::AuthorizationDenied);
    service.until_revoked().await;
    assert!(needs_sign_in(&engine.server(&id()).unwrap()));
    engine.stop().await;
    assert!(store.grant("demo").await.unwrap().is_none());
}

#[tokio::test]
async fn what_a_code_brings_is_kept_when_the_engine_ends() {
    let (place, service) = (Place::new(), Service::start().await);
    let (engine, store) = engine_at(&place, &service).await;
    let callback = answer_of_the_browser(&engine).await;
    let ended = async {
        service.until_asked().await;
        tokio::join!(engine.stop(), async { service.answer() });
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), ended);
    outcome.unwrap_err();
    assert!(store.grant("demo").await.unwrap().is_some());
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_changed_entry_makes_no_second_renewal() {
    let (place, service) = (Place::new(), Service::start().await);
    let store = SecretStore::open(StoreKind::File(place.path("secrets")));
    store.put_grant("demo", &service.expired_grant()).await.unwrap();
    let (engine, _) = engine_at(&place, &service).await;
    service.until_asked().await;
    engine.disable(&id()).await.unwrap();
    engine.enable(&id()).await.unwrap();
    service.answer();
    until(&engine, &id(), is_connected).await;
    assert_eq!(service.asked.available_permits(), 0, "the renewal of the entry before was taken over");
    engine.stop().await;
}

#[tokio::test]
async fn a_disconnect_is_not_undone_by_what_was_under_way() {
    let (place, service) = (Place::new(), Service::start().await);
    let (engine, _) = engine_at(&place, &service).await;
    let callback = answer_of_the_browser(&engine).await;
    let disconnected = async {
        service.until_asked().await;
        engine.disconnect(&id()).await.unwrap();
        service.answer();
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), disconnected);
    outcome.unwrap_err();
    service.until_revoked().await;
    assert_eq!(engine.server(&id()).unwrap().status, Status::Disabled);
    engine.stop().await;
}
