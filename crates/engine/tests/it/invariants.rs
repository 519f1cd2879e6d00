//! What holds whatever happens: where secrets are, and when a rotated token may be used.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use usher_api::{Code, Status};
use usher_engine::SignInOptions;
use usher_secrets::{SecretStore, StoreKind, StoredGrant};

use crate::fixture::*;

/// A service whose token endpoint breaks the client's secret store just before it answers.
#[derive(Clone)]
struct Saboteur {
    secrets: PathBuf,
    tokens_seen: Arc<Mutex<Vec<String>>>,
    renewals: Arc<Mutex<u32>>,
}

async fn renew(State(saboteur): State<Saboteur>) -> Json<Value> {
    *saboteur.renewals.lock().unwrap() += 1;
    std::fs::write(&saboteur.secrets, "not secrets").unwrap();
    Json(json!({
        "access_token": "new", "refresh_token": "rotated", "expires_in": 3600, "token_type": "Bearer",
    }))
}

async fn serve(State(saboteur): State<Saboteur>, headers: HeaderMap, Json(message): Json<Value>) -> Response {
    let token = headers.get("authorization").map_or("", |value| value.to_str().unwrap()).to_owned();
    saboteur.tokens_seen.lock().unwrap().push(token.clone());
    if token != "Bearer new" {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let result = match message["method"].as_str() {
        Some("server/discover") => json!({
            "resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": { "tools": {} },
            "ttlMs": 0, "cacheScope": "private",
        }),
        Some("tools/list") => {
            json!({ "resultType": "complete", "tools": [], "ttlMs": 0, "cacheScope": "private" })
        }
        _ => return StatusCode::BAD_REQUEST.into_response(),
    };
    Json(json!({ "jsonrpc": "2.0", "id": message["id"], "result": result })).into_response()
}

/// A place whose sign-in has to be renewed at once, with its secret store as it was before the service broke it.
async fn sabotaged(place: &Place) -> (Saboteur, SecretStore, Vec<u8>) {
    let secrets = place.path("secrets");
    let saboteur =
        Saboteur { secrets: secrets.clone(), tokens_seen: Arc::default(), renewals: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let router =
        Router::new().route("/token", post(renew)).route("/mcp", post(serve)).with_state(saboteur.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });

    let store = SecretStore::open(StoreKind::File(secrets.clone()));
    let kept = StoredGrant {
        access_token: "old".into(),
        refresh_token: Some("first".into()),
        expires_at: Some("2020-01-01T00:00:00Z".parse().unwrap()),
        scopes: vec![],
        account: None,
        issuer: origin.clone(),
        token_endpoint: format!("{origin}/token"),
        revocation_endpoint: None,
        client_id: "client".to_owned(),
        resource: format!("{origin}/mcp"),
        sends_resource: true,
        auth_method: "none".to_owned(),
    };
    store.put_grant("demo", &kept).await.unwrap();
    let good_store = std::fs::read(&secrets).unwrap();
    place.write_config(&config(&[("demo", &format!("{origin}/mcp"))]));
    (saboteur, store, good_store)
}

#[tokio::test]
async fn a_new_token_is_not_used_before_it_is_stored() {
    let place = Place::new();
    let (saboteur, store, good_store) = sabotaged(&place).await;
    let engine = place.start().await;
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    assert_eq!(view.last_error.unwrap().code, Code::KeychainUnavailable);
    assert_eq!(
        *saboteur.tokens_seen.lock().unwrap(),
        Vec::<String>::new(),
        "neither the old nor the new one"
    );

    std::fs::write(place.path("secrets"), good_store).unwrap();
    engine.retry_secret_store().await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert_eq!(*saboteur.renewals.lock().unwrap(), 1, "the rotated token was not lost");
    let stored = store.grant("demo").await.unwrap().unwrap();
    assert_eq!(stored.refresh_token.unwrap().expose_secret(), "rotated");
    engine.stop().await;
}

#[tokio::test]
async fn a_new_token_that_the_store_did_not_take_is_not_lost_by_quitting() {
    let place = Place::new();
    let (_, store, good_store) = sabotaged(&place).await;
    let engine = place.start().await;
    until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    // Nothing tells the engine that the store is whole again, and it does not ask at once.
    std::fs::write(place.path("secrets"), good_store).unwrap();
    engine.stop().await;
    let stored = store.grant("demo").await.unwrap().unwrap();
    assert_eq!(stored.refresh_token.unwrap().expose_secret(), "rotated");
}

#[tokio::test]
async fn no_secret_leaves_the_engine() {
    let (place, demo) = (Place::new(), demo().await);
    place.know(&demo);
    let store = SecretStore::open(StoreKind::File(place.path("secrets")));
    let engine = place.start().await;
    let mut events = engine.subscribe();
    let mut secrets = Vec::new();
    let mut said = Vec::new();

    // The verifier lies in the secret store as long as the sign-in waits.
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let pending = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Some(pending) = store.pending("demo").await.unwrap() {
                return pending;
            }
            tokio::task::yield_now().await;
        }
    });
    let pending: Value = serde_json::from_str(pending.await.unwrap().expose_secret()).unwrap();
    secrets.push(pending["verifier"].as_str().unwrap().to_owned());
    let callback = decide(&request, "allow").await;
    let address = url::Url::parse(&callback).unwrap();
    secrets.push(address.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned());
    engine.complete_sign_in(&callback).await.unwrap();
    keep_tokens(&store, &mut secrets).await;

    // A renewal, then a sign-in that fails.
    demo.revoke_access_tokens();
    let call = usher_engine::CallOptions::new("call");
    engine.call_tool(&id(), "search_pages", Default::default(), call).await.unwrap();
    keep_tokens(&store, &mut secrets).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    demo.add_token_fault(usher_demo::TokenFault::InvalidGrant);
    let failure = engine.complete_sign_in(&decide(&request, "allow").await).await.unwrap_err();
    said.push(serde_json::to_string(&failure).unwrap());
    said.push(serde_json::to_string(&engine.snapshot()).unwrap());
    while let Ok(event) = events.try_recv() {
        said.push(serde_json::to_string(&event).unwrap());
    }
    engine.stop().await;
    for folder in [place.path("state"), place.path("runtime")] {
        read_all(&folder, &mut said);
    }
    said.push(std::fs::read_to_string(place.path("mcp.json")).unwrap());

    assert_eq!(secrets.len(), 6, "verifier, code, two tokens, two renewed ones");
    for secret in secrets {
        assert!(secret.len() > 16);
        assert!(!said.iter().any(|text| text.contains(&secret)), "{secret} was told");
    }
}

async fn keep_tokens(store: &SecretStore, secrets: &mut Vec<String>) {
    let grant = store.grant("demo").await.unwrap().unwrap();
    secrets.push(grant.access_token.expose_secret().to_owned());
    secrets.push(grant.refresh_token.unwrap().expose_secret().to_owned());
}

fn read_all(folder: &Path, texts: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            texts.push(String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned());
        }
    }
}
