//! Withdrawn secrets: nothing is sent with them any more, not even the end of a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::response::IntoResponse;
use serde_json::json;
use usher_api::{Code, ServerView, Status};
use usher_engine::Engine;
use usher_fake_service::{FakeService, Options, Protocol, Reply};
use usher_secrets::{SecretStore, StoreKind};

use crate::fixture::*;
use crate::granted_service::GrantedService;

/// A person's way to take a secret back.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Withdraw,
    Delete,
}

fn is_refused(view: &ServerView) -> bool {
    matches!(&view.status, Status::Failed { error } if error.code == Code::SecretNotAllowed)
}

/// Writes an entry with a secret in a header, and stores the secret.
async fn write_entry(sandbox: &Sandbox, service: &FakeService) -> SecretStore {
    let entry = json!({ "type": "http", "url": service.url(), "headers": { "X-Key": "{{key}}" } });
    sandbox.write_config(&json!({ "mcpServers": { "demo": entry } }).to_string());
    let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
    store.put_named("key", &"hush".into()).await.unwrap();
    store
}

/// Takes the secret back, gives it again, and returns the requests that announced the end of a session. The new
/// connection begins after the end of the old one.
async fn ends_after(
    way: Way,
    engine: &Engine,
    service: &FakeService,
    is_back: fn(&ServerView) -> bool,
) -> Vec<String> {
    service.forget_requests();
    match way {
        Way::Withdraw => {
            engine.disallow_secret("key", &service.at("")).await.unwrap();
            until(engine, &id(), is_refused).await;
            engine.allow_secret("key", &service.at("")).await.unwrap();
        }
        Way::Delete => {
            assert!(engine.delete_secret("key").await.unwrap());
            until(engine, &id(), has_failed).await;
            engine.add_secret("key", "another".into()).await.unwrap();
        }
    }
    until(engine, &id(), is_back).await;
    let lines = service.requests().into_iter().map(|request| request.line);
    lines.filter(|line| line.starts_with("DELETE")).collect()
}

#[tokio::test]
async fn a_session_that_waits_for_a_sign_in_ends_without_the_secret() {
    for way in [Way::Withdraw, Way::Delete] {
        let options = Options { protocol: Protocol::Handshake, ..Options::default() };
        let (sandbox, service) = (Sandbox::new(), GrantedService::start(options).await);
        let store = write_entry(&sandbox, &service).await;
        store.put_grant("demo", &service.expired_grant()).await.unwrap();
        let engine = sandbox.start_connected().await;
        service.ledger().revoke(service.family());
        call(&engine, "read").await.unwrap_err();
        until(&engine, &id(), needs_sign_in).await;
        assert_eq!(ends_after(way, &engine, &service, needs_sign_in).await, Vec::<String>::new(), "{way:?}");
    }
}

#[tokio::test]
async fn a_running_attempt_with_a_session_ends_without_the_secret() {
    for (way, is_reconnecting) in
        [(Way::Withdraw, false), (Way::Delete, false), (Way::Withdraw, true), (Way::Delete, true)]
    {
        // The server never answers the request for the list of one attempt.
        let (lists, silent) = (Arc::new(AtomicUsize::new(0)), usize::from(is_reconnecting));
        let counted = Arc::clone(&lists);
        let service = mcp_server(move |request| {
            let is_silent =
                request.rpc_method() == "tools/list" && counted.fetch_add(1, Ordering::SeqCst) == silent;
            is_silent.then(|| Reply::silent().into_response())
        });
        let (sandbox, service) = (Sandbox::new(), service.await);
        write_entry(&sandbox, &service).await;
        let engine = sandbox.start().await;
        if is_reconnecting {
            until(&engine, &id(), is_connected).await;
            engine.reconnect_all();
        }
        until_true(|| lists.load(Ordering::SeqCst) == silent + 1).await;
        let ends = ends_after(way, &engine, &service, is_connected).await;
        assert_eq!(ends, Vec::<String>::new(), "{way:?}, reconnecting: {is_reconnecting}");
    }
}
