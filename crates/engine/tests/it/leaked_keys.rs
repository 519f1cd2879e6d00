//! No key with which Usher signs, and nothing that it signs, leaves the engine.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::IntoResponse;
use secrecy::ExposeSecret;
use serde_json::json;
use usher_engine::SignInOptions;
use usher_fake_service::{FakeService, Options, Reply, Request};
use usher_secrets::{SecretStore, StoreKind};

use crate::fixture::*;
use crate::leak_search::*;

/// A private key is in the secret store only, and an assertion only in its request. A server repeats both.
#[tokio::test]
async fn no_private_key_and_no_assertion_leaves_the_engine() {
    const KEY: &str = include_str!("../../../oauth/tests/keys/ec256.pem");
    let log = Log::start();
    let sandbox = Sandbox::new();
    let service = FakeService::start(Options::default()).await.unwrap();
    let token = service.issue_tokens("machine").access_token;
    let requests = AtomicUsize::new(0);
    service.intercept(move |request| {
        if request.path != "/token" {
            return None;
        }
        if requests.fetch_add(1, Ordering::SeqCst) == 0 {
            return Some(Reply::json(json!({ "access_token": token, "expires_in": 60 })).into_response());
        }
        let text = request.form()["client_assertion"].clone();
        let body = json!({ "error": "invalid_client", "error_description": format!("bad {text}") });
        Some(Reply::json_with(401, body).into_response())
    });
    let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
    store.put_named("key", &KEY.into()).await.unwrap();
    let oauth = json!({ "flow": "client_credentials", "clientId": "machine", "privateKey": "{{key}}" });
    let entry = json!({ "type": "http", "url": service.url(), "oauth": oauth });
    sandbox.write_config(&json!({ "mcpServers": { "demo": entry } }).to_string());
    let engine = sandbox.start().await;
    let events = engine.subscribe();
    until(&engine, &id(), is_connected).await;
    sandbox.clock.advance(Duration::from_secs(120));
    let error = call(&engine, "read").await.unwrap_err();
    let texts = shown_and_stored(&sandbox, engine, events, &error, &log).await;
    assert!(texts.iter().any(|text| text.contains("bad …")), "{texts:?}");
    let sent = service.requests_to("POST /token");
    let assertions: Vec<_> = sent.iter().map(|request| request.form()["client_assertion"].clone()).collect();
    assert!(assertions.len() >= 2);
    let key_lines = KEY.lines().filter(|line| !line.starts_with('-'));
    assertions.iter().for_each(|assertion| assert_absent(&texts, "assertion", assertion));
    key_lines.for_each(|line| assert_absent(&texts, "key", line));
}

/// The key that tokens are bound to is in the secret store only, and a proof only in its request. A server repeats the
/// proof.
#[tokio::test]
async fn no_key_of_a_grant_and_no_proof_leaves_the_engine() {
    let log = Log::start();
    let sandbox = Sandbox::new();
    let service = FakeService::start(Options::default()).await.unwrap();
    let issued = service.issue_tokens("client-0");
    let requests = AtomicUsize::new(0);
    let proof = |request: &Request| request.headers["dpop"].to_str().unwrap().to_owned();
    service.intercept(move |request| match request.path.as_str() {
        "/mcp" if request.authorization().is_empty() => {
            Some(Reply::text(401, "").with("www-authenticate", "DPoP").into_response())
        }
        "/token" if requests.fetch_add(1, Ordering::SeqCst) == 0 => {
            let (access, refresh) = (&issued.access_token, &issued.refresh_token);
            let body = json!({
                "access_token": access, "refresh_token": refresh, "token_type": "DPoP", "expires_in": 60,
            });
            Some(Reply::json(body).into_response())
        }
        "/token" => {
            let body =
                json!({ "error": "invalid_dpop_proof", "error_description": format!("bad {}", proof(request)) });
            Some(Reply::json_with(400, body).into_response())
        }
        _ => None,
    });
    sandbox.write_config(&config(&[("demo", &service.url())]));
    let engine = sandbox.start().await;
    let events = engine.subscribe();
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    engine.complete_sign_in(&service.approve(&request.authorization_url).unwrap()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
    let grant = store.grant("demo").await.unwrap().expect("a stored grant");
    let key = grant.dpop_key.expect("a stored key").expose_secret().to_owned();
    sandbox.clock.advance(Duration::from_secs(120));
    let error = call(&engine, "read").await.unwrap_err();
    let texts = shown_and_stored(&sandbox, engine, events, &error, &log).await;
    assert!(texts.iter().any(|text| text.contains("bad …")), "{texts:?}");
    let sent = service.requests();
    let proofs: Vec<_> =
        sent.iter().filter(|request| request.headers.contains_key("dpop")).map(proof).collect();
    assert!(proofs.len() >= 4);
    proofs.iter().for_each(|proof| assert_absent(&texts, "proof", proof));
    assert_absent(&texts, "key", &key);
}
