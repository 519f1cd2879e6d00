//! The storage of secrets, and the use of rotated tokens.

use std::path::Path;

use secrecy::ExposeSecret;
use serde_json::Value;
use usher_api::Code;
use usher_engine::SignInOptions;
use usher_fake_service::{Moment, Options};
use usher_secrets::{SecretStore, StoreKind};

use crate::fixture::*;
use crate::granted_service::GrantedService;

/// A service that damages the engine's secret store when a refresh arrives. The bytes are the contents of the intact
/// store.
async fn damaging_service(sandbox: &Sandbox) -> (GrantedService, SecretStore, Vec<u8>) {
    let service = GrantedService::start(Options::default()).await;
    let store = service.store_grant(sandbox).await;
    let secrets = sandbox.path("secrets");
    let intact = std::fs::read(&secrets).unwrap();
    let damage = move || std::fs::write(&secrets, "not secrets").unwrap();
    service.set_breakpoint(service.family(), Moment::Arrived, Box::new(damage));
    (service, store, intact)
}

#[tokio::test]
async fn a_new_token_is_not_used_before_it_is_stored() {
    let sandbox = Sandbox::new();
    let (service, store, intact) = damaging_service(&sandbox).await;
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(view.last_error.unwrap().code, Code::KeychainUnavailable);
    assert!(service.requests_to("POST /mcp").is_empty(), "a token was used before the new one was stored");

    std::fs::write(sandbox.path("secrets"), intact).unwrap();
    engine.retry_secret_store().await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert_eq!(
        service.requests_to("POST /token").len(),
        1,
        "the rotated token was stored without another refresh"
    );
    assert_eq!(service.stored_rotation(&store).await, Some(1));
}

#[tokio::test]
async fn a_new_token_that_could_not_be_stored_is_not_lost_on_quit() {
    let sandbox = Sandbox::new();
    let (service, store, intact) = damaging_service(&sandbox).await;
    let engine = sandbox.start().await;
    until(&engine, &id(), has_failed).await;
    // The engine gets no notice that the store works again, and does not retry at once.
    std::fs::write(sandbox.path("secrets"), intact).unwrap();
    engine.stop().await;
    assert_eq!(service.stored_rotation(&store).await, Some(1));
}

#[tokio::test]
async fn no_secret_leaves_the_engine() {
    let (sandbox, demo, engine) = started(Default::default()).await;
    let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
    let mut events = engine.subscribe();
    let mut secrets = Vec::new();
    let mut texts = Vec::new();

    // The verifier is in the secret store while the sign-in waits for its callback.
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let pending = tokio::time::timeout(TIMEOUT, async {
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
    collect_tokens(&store, &mut secrets).await;

    // A refresh, then a sign-in that fails.
    demo.revoke_access_tokens();
    call(&engine, "search_pages").await.unwrap();
    collect_tokens(&store, &mut secrets).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    demo.add_token_fault(usher_demo::TokenFault::InvalidGrant);
    let failure = approve(&engine, &request).await.unwrap_err();
    texts.push(serde_json::to_string(&failure).unwrap());
    texts.push(serde_json::to_string(&engine.snapshot()).unwrap());
    while let Ok(event) = events.try_recv() {
        texts.push(serde_json::to_string(&event).unwrap());
    }
    engine.stop().await;
    for folder in [sandbox.path("state"), sandbox.path("runtime")] {
        read_all(&folder, &mut texts);
    }
    texts.push(std::fs::read_to_string(sandbox.path("mcp.json")).unwrap());

    assert_eq!(secrets.len(), 6, "verifier, code, two tokens, two refreshed tokens");
    for secret in secrets {
        assert!(secret.len() > 16);
        assert!(!texts.iter().any(|text| text.contains(&secret)), "{secret} leaked");
    }
}

async fn collect_tokens(store: &SecretStore, secrets: &mut Vec<String>) {
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
