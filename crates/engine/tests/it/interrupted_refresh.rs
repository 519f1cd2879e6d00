//! A refresh that was interrupted between sending and storing. The next start tries once more with the old token.

use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use tokio::runtime::Runtime;
use usher_api::NeedsSignIn;
use usher_engine::Engine;
use usher_fake_service::{BadResponse, Options, Reply, Request, TokenFault};
use usher_secrets::StoredGrant;

use crate::fixture::*;
use crate::granted_service::{GrantedService, held_service};

/// An engine on its own runtime, which can end like a killed process.
struct Process {
    engine: Engine,
    runtime: Runtime,
}

impl Process {
    async fn start(sandbox: &Sandbox) -> Self {
        let runtime = Runtime::new().unwrap();
        let options = sandbox.options();
        let engine = runtime.spawn(Engine::start(options)).await.unwrap().unwrap();
        Self { engine, runtime }
    }

    /// Ends the runtime. Returns when no task is running, the lock is free, and the service has noticed the disconnect.
    async fn crash(self, service: &GrantedService) {
        let Self { engine, runtime } = self;
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(TIMEOUT)).await.unwrap();
        drop(engine);
        tokio::time::timeout(TIMEOUT, service.until_no_reply_is_held()).await.unwrap();
    }
}

/// A service that accepts a refresh token again after its rotation.
fn lenient() -> Options {
    Options { grace_period: Duration::from_secs(600), ..Options::default() }
}

/// The number of entries in the refresh journal.
fn journal_entries(sandbox: &Sandbox) -> usize {
    std::fs::read_dir(sandbox.path("state/renewals")).map_or(0, Iterator::count)
}

#[tokio::test]
async fn within_a_grace_period_an_interruption_loses_nothing() {
    let (sandbox, service, store) = held_service(lenient()).await;
    // Twice, because the second try can be interrupted as well.
    for tries in 1..=2 {
        let process = Process::start(&sandbox).await;
        service.until_requests("POST /token", tries).await;
        assert_eq!(journal_entries(&sandbox), 1, "the refresh is recorded before it is sent");
        process.crash(&service).await;
        assert_eq!(service.stored_rotation(&store).await, Some(0));
    }
    service.release_token_reply();
    sandbox.start_connected().await;
    assert_eq!(service.sent_tokens(), [0, 0, 0]);
    // Each try got a new token from the service.
    assert_eq!(service.stored_rotation(&store).await, Some(3));
    assert_eq!(journal_entries(&sandbox), 0);
}

#[tokio::test]
async fn a_used_refresh_token_needs_a_sign_in_and_is_not_sent_again() {
    let (sandbox, service, store) = held_service(Options::default()).await;
    let process = Process::start(&sandbox).await;
    service.until_requests("POST /token", 1).await;
    process.crash(&service).await;

    service.release_token_reply();
    let engine = sandbox.start().await;
    let view = until_sign_in_needed(&engine, NeedsSignIn::RefreshInterrupted).await;
    assert!(view.last_error.unwrap().message.contains("was interrupted"));
    engine.stop().await;
    assert_eq!((service.stored_rotation(&store).await, journal_entries(&sandbox)), (None, 0));

    let engine = sandbox.start().await;
    until(&engine, &id(), needs_sign_in).await;
    engine.stop().await;
    assert_eq!(service.sent_tokens(), [0, 0]);
}

#[tokio::test]
async fn an_interrupted_refresh_is_repeated_before_the_old_access_token_is_used() {
    let (sandbox, service, store) = held_service(lenient()).await;
    // The access token has not expired by its date, but the service rejects it, so it is refreshed.
    let grant =
        StoredGrant { expires_at: Some("2100-01-01T00:00:00Z".parse().unwrap()), ..service.expired_grant() };
    store.put_grant("demo", &grant).await.unwrap();
    let process = Process::start(&sandbox).await;
    service.until_requests("POST /token", 1).await;
    process.crash(&service).await;
    service.ledger().take_activity(service.family());
    service.release_token_reply();
    sandbox.start_connected().await;
    let rejected = service.ledger().take_activity(service.family()).stale_requests;
    assert_eq!((service.sent_tokens().len(), rejected), (2, 0), "the old access token was not used again");
}

#[tokio::test]
async fn a_quit_does_not_wait_for_a_slow_response_and_loses_no_more_than_a_crash() {
    let (sandbox, service, store) = held_service(lenient()).await;
    let process = Process::start(&sandbox).await;
    service.until_requests("POST /token", 1).await;
    tokio::time::timeout(Duration::from_secs(3), process.engine.stop()).await.expect("the engine must stop");
    process.crash(&service).await;
    assert_eq!(journal_entries(&sandbox), 1);
    service.release_token_reply();
    sandbox.start_connected().await;
    // The second try got a new token from the service.
    assert_eq!(service.stored_rotation(&store).await, Some(2));
}

#[tokio::test]
async fn an_unsupported_token_type_keeps_the_new_refresh_token() {
    let (sandbox, service, store) = held_service(Options::default()).await;
    // Only the first response has an unsupported token type.
    service.add_fault(service.family(), TokenFault::AfterCommit(BadResponse::OtherTokenType));
    let engine = sandbox.start().await;
    service.until_requests("POST /token", 1).await;
    service.release_token_reply();
    let view = until(&engine, &id(), is_reconnecting).await;
    assert!(view.last_error.unwrap().message.contains("mac"));
    assert_eq!(service.stored_rotation(&store).await, Some(1));
    service.release_token_reply();
    until(&engine, &id(), is_connected).await;
    assert_eq!(service.sent_tokens(), [0, 1]);
}

#[tokio::test]
async fn an_unsupported_token_type_keeps_the_key_that_was_proved() {
    let sandbox = Sandbox::new();
    let service = GrantedService::start(Options::default()).await;
    service.store_grant(&sandbox).await;
    service.add_fault(service.family(), TokenFault::AfterCommit(BadResponse::OtherTokenType));
    // The grant has no key yet, and the authorization server now requires a proof.
    service.intercept(|request| {
        let is_unproven = request.path == "/token" && !request.headers.contains_key("dpop");
        is_unproven.then(|| Reply::oauth_error(400, "use_dpop_nonce").into_response())
    });
    sandbox.start_connected().await;
    assert_eq!(service.sent_tokens(), [0, 0, 1]);
    let requests = service.requests_to("POST /token");
    // The first part of a proof contains the public key.
    let key = |request: &Request| {
        let proof = request.headers.get("dpop")?.to_str().unwrap();
        Some(proof.split_once('.').unwrap().0.to_owned())
    };
    let keys: Vec<_> = requests.iter().map(key).collect();
    assert!(keys[0].is_none() && keys[1].is_some());
    assert_eq!(keys[1], keys[2], "the next refresh proves the same key");
}

#[tokio::test]
async fn retries_of_an_unsupported_token_type_back_off() {
    let (sandbox, service, _store) = held_service(Options::default()).await;
    for _ in 0..5 {
        service.add_fault(service.family(), TokenFault::AfterCommit(BadResponse::OtherTokenType));
    }
    let _engine = sandbox.start().await;
    service.until_requests("POST /token", 1).await;
    let first = Instant::now();
    for tries in 2..=4 {
        service.release_token_reply();
        service.until_requests("POST /token", tries).await;
    }
    // Backoffs of one, two and four seconds, each up to a quarter shorter.
    assert!(first.elapsed() > Duration::from_secs(5), "four requests in {:?}", first.elapsed());
}

#[tokio::test]
async fn a_client_whose_secret_is_missing_needs_a_new_registration() {
    let (sandbox, service, store) = held_service(Options::default()).await;
    let grant = StoredGrant { auth_method: "client_secret_post".to_owned(), ..service.expired_grant() };
    store.put_grant("demo", &grant).await.unwrap();
    let engine = sandbox.start().await;
    until_sign_in_needed(&engine, NeedsSignIn::RegistrationLost).await;
    assert_eq!(service.sent_tokens(), [0; 0]);
    assert_eq!(service.stored_rotation(&store).await, Some(0), "the grant is kept");
}
