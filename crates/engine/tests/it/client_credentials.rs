//! Sign-in without a person, with the client's own credentials (RFC 6749 §4.4).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::IntoResponse;
use serde_json::{Map, Value, json};
use usher_api::{AuthView, Code, NeedsSignIn, ServerView, SignInRequest, Status};
use usher_engine::{CallOptions, Engine, SignInOptions};
use usher_fake_service::{FakeService, Options, Reply};
use usher_secrets::{SecretStore, StoreKind};

use crate::fixture::*;

const TOKEN: &str = "POST /token";
const KEY: &str = include_str!("../../../oauth/tests/keys/ec256.pem");

/// A service for machines. It has no page, and knows the client `machine`.
struct Machines {
    service: FakeService,
    /// The number of tokens that were issued. Only the newest one is accepted.
    issued: Arc<AtomicUsize>,
    rejected: Arc<AtomicUsize>,
}

impl Machines {
    async fn start() -> Self {
        let service = FakeService::start(Options::default()).await.unwrap();
        let tokens: Vec<_> = (0..8).map(|_| service.issue_tokens("machine").access_token).collect();
        let (issued, rejected) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
        let (issuing, refusing) = (issued.clone(), rejected.clone());
        service.intercept(move |request| match request.path.as_str() {
            "/token" => {
                let number = issuing.fetch_add(1, Ordering::SeqCst);
                let body =
                    json!({ "access_token": tokens[number], "expires_in": 3600, "token_type": "Bearer" });
                Some(Reply::json(body).into_response())
            }
            "/mcp" => {
                let refused = refusing.load(Ordering::SeqCst);
                let is_refused =
                    tokens[..refused].iter().any(|token| request.authorization().contains(token));
                is_refused.then(|| Reply::text(401, "").with("www-authenticate", "Bearer").into_response())
            }
            _ => None,
        });
        Machines { service, issued, rejected }
    }

    /// The number of token requests.
    fn requests(&self) -> usize {
        self.service.requests_to(TOKEN).len()
    }

    async fn engine(&self, oauth: Value) -> (Sandbox, Engine) {
        let sandbox = Sandbox::new();
        let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
        store.put_named("machine_secret", &"a-secret-of-4711".into()).await.unwrap();
        store.put_named("machine_key", &KEY.into()).await.unwrap();
        let entry = json!({ "type": "http", "url": self.service.url(), "oauth": oauth });
        sandbox.write_config(&json!({ "mcpServers": { "demo": entry } }).to_string());
        let engine = sandbox.start().await;
        (sandbox, engine)
    }
}

fn with_secret() -> Value {
    json!({ "flow": "client_credentials", "clientId": "machine", "clientSecret": "{{machine_secret}}" })
}

fn with_key() -> Value {
    json!({ "flow": "client_credentials", "clientId": "machine", "privateKey": "{{machine_key}}", "keyId": "k" })
}

fn error_of(view: &ServerView) -> (Code, String) {
    let Status::Failed { error } = &view.status else { panic!("{:?}", view.status) };
    (error.code, error.message.clone())
}

#[tokio::test]
async fn the_server_connects_without_a_person() {
    let machines = Machines::start().await;
    for oauth in [with_secret(), with_key()] {
        machines.service.forget_requests();
        let (_sandbox, engine) = machines.engine(oauth).await;
        let view = until(&engine, &id(), is_connected).await;
        let AuthView::OAuth { signed_in, refreshable, client_id, .. } = view.auth else {
            panic!("{:?}", view.auth)
        };
        assert!(signed_in && refreshable);
        assert_eq!(client_id.as_deref(), Some("machine"));
        assert_eq!(machines.requests(), 1);
        assert!(machines.service.requests_to("POST /register").is_empty());
        let announced = machines.service.requests_to("POST /mcp").iter().any(|request| {
            request.json().to_string().contains("io.modelcontextprotocol/oauth-client-credentials")
        });
        assert!(announced, "the extension is announced");
        let started = engine.start_sign_in(&id(), SignInOptions::default()).await.unwrap();
        assert_eq!(started, SignInRequest::Unattended);
        until(&engine, &id(), is_connected).await;
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_new_token_replaces_the_old_one_ahead_of_its_expiry_and_after_a_rejection() {
    let machines = Machines::start().await;
    let (sandbox, engine) = machines.engine(with_secret()).await;
    until(&engine, &id(), is_connected).await;
    sandbox.clock.advance(Duration::from_secs(3590));
    call(&engine, "read").await.unwrap();
    assert_eq!(machines.requests(), 2);
    // The server rejects the token before its expiry: eight calls cause one request.
    machines.rejected.store(2, Ordering::SeqCst);
    let server = id();
    let calls = (0..8).map(|number| {
        engine.call_tool(&server, "read", Map::new(), CallOptions::new(format!("call {number}")))
    });
    for outcome in futures::future::join_all(calls).await {
        outcome.unwrap();
    }
    assert_eq!(machines.requests(), 3);
    engine.stop().await;
    // A start with a token that has expired gets a new one at once.
    sandbox.clock.advance(Duration::from_secs(4000));
    let engine = sandbox.start_connected().await;
    assert_eq!(machines.requests(), 4);
    assert!(matches!(engine.server(&id()).unwrap().auth, AuthView::OAuth { signed_in: true, .. }));
    assert_eq!(machines.issued.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn a_client_secret_that_may_not_be_sent_any_more_gets_no_token() {
    for deletes in [false, true] {
        let machines = Machines::start().await;
        let (sandbox, engine) = machines.engine(with_secret()).await;
        until(&engine, &id(), is_connected).await;
        if deletes {
            assert!(engine.delete_secret("machine_secret").await.unwrap());
        } else {
            engine.disallow_secret("machine_secret", &machines.service.at("")).await.unwrap();
        }
        let (code, _) = error_of(&until(&engine, &id(), has_failed).await);
        assert_eq!(code == Code::SecretNotAllowed, !deletes);
        // The token has expired, and a new one is due.
        sandbox.clock.advance(Duration::from_secs(4000));
        engine.reconnect_all();
        let sent = machines.service.until_requests(TOKEN, 2);
        tokio::time::timeout(Duration::from_millis(500), sent).await.unwrap_err();
        if deletes {
            engine.add_secret("machine_secret", "another".into()).await.unwrap();
        } else {
            engine.allow_secret("machine_secret", &machines.service.at("")).await.unwrap();
        }
        until(&engine, &id(), is_connected).await;
        assert_eq!(machines.requests(), 2);
    }
}

#[tokio::test]
async fn a_key_that_replaces_the_secret_is_used_for_the_next_grant() {
    let machines = Machines::start().await;
    let (sandbox, engine) = machines.engine(with_secret()).await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
    let entry = json!({ "type": "http", "url": machines.service.url(), "oauth": with_key() });
    sandbox.write_config(&json!({ "mcpServers": { "demo": entry } }).to_string());
    sandbox.clock.advance(Duration::from_secs(4000));
    let _engine = sandbox.start_connected().await;
    let requests = machines.service.requests_to(TOKEN);
    assert_eq!(requests.len(), 2);
    assert!(requests[1].authorization().is_empty() && requests[1].form().contains_key("client_assertion"));
}

#[tokio::test]
async fn a_refused_client_is_an_error_of_the_settings_and_is_not_tried_again() {
    let machines = Machines::start().await;
    machines.service.on(TOKEN, Reply::oauth_error(401, "invalid_client"));
    let (sandbox, engine) = machines.engine(with_secret()).await;
    let view = until(&engine, &id(), has_failed).await;
    let (code, message) = error_of(&view);
    assert_eq!(code, Code::ConfigInvalid, "{message}");
    let requests = machines.requests();
    assert_eq!(requests, 2, "both ways to send the secret");
    assert_eq!(call(&engine, "read").await.unwrap_err().code, Code::ConfigInvalid);
    engine.reconnect_all();
    sandbox.clock.advance(Duration::from_secs(3600));
    assert_eq!(call(&engine, "read").await.unwrap_err().code, Code::ConfigInvalid);
    assert_eq!(machines.requests(), requests);
}

#[tokio::test]
async fn a_client_that_is_refused_later_fails_once() {
    let machines = Machines::start().await;
    let (sandbox, engine) = machines.engine(with_secret()).await;
    until(&engine, &id(), is_connected).await;
    machines.service.on(TOKEN, Reply::oauth_error(401, "invalid_client"));
    sandbox.clock.advance(Duration::from_secs(4000));
    assert_eq!(call(&engine, "read").await.unwrap_err().code, Code::ConfigInvalid);
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(error_of(&view).0, Code::ConfigInvalid);
    let requests = machines.requests();
    call(&engine, "read").await.unwrap_err();
    assert_eq!(machines.requests(), requests);
}

#[tokio::test]
async fn an_outage_is_retried() {
    let machines = Machines::start().await;
    let outage = Reply::text(503, "");
    let token = machines.service.issue_tokens("machine").access_token;
    let good = Reply::json(json!({ "access_token": token }));
    machines.service.on_each(TOKEN, [outage.clone(), outage, good]);
    let (_sandbox, engine) = machines.engine(with_secret()).await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(machines.requests(), 3);
}

#[tokio::test]
async fn an_outage_of_the_metadata_is_retried() {
    const METADATA: &str = "GET /.well-known/oauth-authorization-server";
    let machines = Machines::start().await;
    let document = json!({
        "issuer": machines.service.origin,
        "token_endpoint": machines.service.at("/token"),
        "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    });
    machines.service.on_each(METADATA, [Reply::text(502, ""), Reply::json(document)]);
    let (_sandbox, engine) = machines.engine(with_secret()).await;
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_bad_key_is_named_and_nothing_is_sent() {
    let machines = Machines::start().await;
    let (_sandbox, engine) = machines
        .engine(json!({
            "flow": "client_credentials", "clientId": "machine", "privateKey": "{{machine_secret}}",
        }))
        .await;
    let view = until(&engine, &id(), has_failed).await;
    let (code, message) = error_of(&view);
    assert_eq!(code, Code::ConfigInvalid);
    assert!(message.contains("neither PEM nor a JSON Web Key"), "{message}");
    assert_eq!(machines.requests(), 0);
}

#[tokio::test]
async fn a_sign_out_lasts_until_the_person_signs_in_again() {
    let machines = Machines::start().await;
    let (sandbox, engine) = machines.engine(with_secret()).await;
    until(&engine, &id(), is_connected).await;
    engine.sign_out(&id()).await.unwrap();
    engine.connect(&id()).await.unwrap();
    until_sign_in_needed(&engine, NeedsSignIn::SignedOut).await;
    engine.stop().await;
    let engine = sandbox.start().await;
    until_sign_in_needed(&engine, NeedsSignIn::SignedOut).await;
    assert_eq!(machines.requests(), 1);
    engine.start_sign_in(&id(), SignInOptions::default()).await.unwrap();
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn the_assertion_of_the_platform_is_read_again_before_each_request() {
    let machines = Machines::start().await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("assertion");
    std::fs::write(&file, "first-assertion\n").unwrap();
    let (sandbox, engine) = machines.engine(json!({ "flow": "jwt_bearer", "assertionFile": file })).await;
    until(&engine, &id(), is_connected).await;
    std::fs::write(&file, "second-assertion\n").unwrap();
    sandbox.clock.advance(Duration::from_secs(3590));
    call(&engine, "read").await.unwrap();
    let sent: Vec<_> = machines
        .service
        .requests_to(TOKEN)
        .iter()
        .map(|request| (request.form()["assertion"].clone(), request.form().contains_key("client_id")))
        .collect();
    assert_eq!(sent, [("first-assertion".to_owned(), false), ("second-assertion".to_owned(), false)]);
    // Without the file, nothing is sent.
    std::fs::remove_file(&file).unwrap();
    sandbox.clock.advance(Duration::from_secs(3610));
    let error = call(&engine, "read").await.unwrap_err();
    assert_eq!(error.code, Code::ServerUnreachable, "{}", error.message);
    assert_eq!(machines.requests(), 2);
    // The next one is found automatically.
    std::fs::write(&file, "third-assertion\n").unwrap();
    sandbox.clock.advance(Duration::from_secs(120));
    until_true(|| machines.requests() == 3).await;
}
