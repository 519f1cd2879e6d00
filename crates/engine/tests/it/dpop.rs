//! Tokens that are bound to a key (RFC 9449): the proofs of each request, the nonces, and the key of the grant.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::response::IntoResponse;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use usher_api::{Code, ErrorView, ServerId};
use usher_demo::{Demo, DemoOptions, Dpop, Eras};
use usher_engine::{Engine, SignInOptions};
use usher_fake_service::{FakeService, Options, Reply, Request};
use usher_secrets::{SecretStore, StoreKind, StoredGrant};

use crate::fixture::*;

fn with_nonces() -> DemoOptions {
    DemoOptions { dpop: Dpop::RequiredWithNonces, ..DemoOptions::default() }
}

/// The requests to the token endpoint and to the MCP server.
fn proven_requests(demo: &Demo) -> Vec<String> {
    let is_proven = |line: &String| line.starts_with("POST /token") || line.starts_with("POST /mcp");
    requests(demo).into_iter().filter(is_proven).collect()
}

async fn stored(sandbox: &Sandbox) -> StoredGrant {
    let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
    store.grant("demo").await.unwrap().expect("a stored grant")
}

async fn stored_key(sandbox: &Sandbox) -> String {
    let grant = stored(sandbox).await;
    assert_eq!(grant.token_type, "DPoP");
    grant.dpop_key.expect("a stored key").expose_secret().to_owned()
}

#[tokio::test]
async fn each_missing_nonce_costs_one_request() {
    let (_sandbox, demo, engine) = started(with_nonces()).await;
    until(&engine, &id(), needs_sign_in).await;
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    let expected = [
        "POST /token authorization_code 400",
        "POST /token authorization_code 200",
        "POST /mcp 401",
        "POST /mcp server/discover 200",
        "POST /mcp tools/list 200",
    ];
    assert_eq!(proven_requests(&demo), expected);
    until_listening(&demo, Eras::All).await;
    demo.forget_requests();
    call(&engine, "search_pages").await.unwrap();
    assert_eq!(proven_requests(&demo), ["POST /mcp tools/call 200"]);
}

#[tokio::test]
async fn without_nonces_no_request_is_refused() {
    let (_sandbox, demo, engine) = started(DemoOptions { dpop: Dpop::Required, ..with_nonces() }).await;
    until(&engine, &id(), needs_sign_in).await;
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    until(&engine, &id(), is_connected).await;
    let refused = |line: &String| line.ends_with(" 400") || line.ends_with(" 401");
    assert!(!proven_requests(&demo).iter().any(refused), "{:?}", requests(&demo));
}

#[tokio::test]
async fn an_expired_nonce_is_replaced_without_a_refresh() {
    let (sandbox, demo, engine) = signed_in(with_nonces()).await;
    until_listening(&demo, Eras::All).await;
    demo.forget_requests();
    // The nonces last five minutes, and the token ten.
    advance(&sandbox, &[&demo], Duration::from_secs(6 * 60));
    call(&engine, "search_pages").await.unwrap();
    assert_eq!(proven_requests(&demo), ["POST /mcp 401", "POST /mcp tools/call 200"]);
}

#[tokio::test]
async fn a_refresh_proves_the_key_of_the_grant() {
    let (sandbox, demo, engine) = signed_in(with_nonces()).await;
    until(&engine, &id(), is_connected).await;
    let key = stored_key(&sandbox).await;
    for _ in 0..2 {
        demo.forget_requests();
        advance(&sandbox, &[&demo], Duration::from_secs(60 * 60));
        call(&engine, "search_pages").await.unwrap();
        assert_eq!(demo.token_requests("refresh_token"), 2, "{:?}", requests(&demo));
        assert_eq!(stored_key(&sandbox).await, key);
    }
    assert!(is_connected(&engine.server(&id()).unwrap()));
}

#[tokio::test]
async fn the_key_survives_a_restart() {
    let (sandbox, demo, engine) = signed_in(with_nonces()).await;
    until(&engine, &id(), is_connected).await;
    let key = stored_key(&sandbox).await;
    engine.stop().await;
    demo.forget_requests();
    let engine = sandbox.start_connected().await;
    // The nonces are learned again.
    let expected = ["POST /mcp 401", "POST /mcp server/discover 200", "POST /mcp tools/list 200"];
    assert_eq!(proven_requests(&demo), expected);
    advance(&sandbox, &[&demo], Duration::from_secs(60 * 60));
    call(&engine, "search_pages").await.unwrap();
    assert_eq!(stored_key(&sandbox).await, key);
}

#[tokio::test]
async fn each_grant_has_a_key_of_its_own() {
    let (sandbox, _demo, engine) = signed_in(with_nonces()).await;
    let first = stored_key(&sandbox).await;
    let secrets = || std::fs::read_to_string(sandbox.path("secrets")).unwrap();
    assert!(secrets().contains(&first));
    engine.sign_out(&id()).await.unwrap();
    assert!(!secrets().contains(&first), "the key of an ended grant is deleted");
    sign_in(&engine, &id()).await.unwrap();
    assert_ne!(stored_key(&sandbox).await, first);
}

#[tokio::test]
async fn a_grant_for_another_device_is_bound_too() {
    let (sandbox, _demo, engine) = started(with_nonces()).await;
    let device = sign_in_on_device(&engine).await.unwrap();
    decide_on_device(&device, "allow").await;
    until(&engine, &id(), is_connected).await;
    stored_key(&sandbox).await;
    call(&engine, "search_pages").await.unwrap();
}

/// A service whose MCP server asks for DPoP, and whose tokens have this type.
struct Service {
    service: FakeService,
    /// The number of nonces that the MCP server has sent.
    nonces: Arc<AtomicUsize>,
}

impl Service {
    /// `answer` can replace the response to an MCP request with a token.
    async fn start(
        token_type: &'static str,
        answer: impl Fn(&Request, &str) -> Option<Reply> + Send + Sync + 'static,
    ) -> Self {
        let service = FakeService::start(Options::default()).await.unwrap();
        let issued = service.issue_tokens("client-0");
        let nonces = Arc::<AtomicUsize>::default();
        let (metadata, sent) = (service.at("/.well-known/oauth-protected-resource/mcp"), nonces.clone());
        service.intercept(move |request| match request.path.as_str() {
            "/token" => {
                let (access, refresh) = (&issued.access_token, &issued.refresh_token);
                let body =
                    json!({ "access_token": access, "refresh_token": refresh, "token_type": token_type });
                Some(Reply::json(body).into_response())
            }
            "/mcp" if request.authorization().is_empty() => {
                let challenge = format!("DPoP resource_metadata=\"{metadata}\"");
                Some(Reply::text(401, "").with("www-authenticate", &challenge).into_response())
            }
            "/mcp" => {
                let nonce = format!("n-{}", sent.fetch_add(1, Ordering::SeqCst));
                answer(request, &nonce).map(Reply::into_response)
            }
            _ => None,
        });
        Service { service, nonces }
    }

    /// The requests with a token to this path.
    fn authorized(&self, path: &str) -> Vec<Request> {
        let requests = self.service.requests().into_iter();
        requests.filter(|request| request.path == path && !request.authorization().is_empty()).collect()
    }

    /// Signs in. The outcome includes the first connection with the new token.
    async fn sign_in(&self) -> (Sandbox, Engine, Result<ServerId, ErrorView>) {
        let (sandbox, engine) = started_at(&self.service.url()).await;
        let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
        let callback = self.service.approve(&request.authorization_url).unwrap();
        let outcome = engine.complete_sign_in(&callback).await;
        (sandbox, engine, outcome)
    }

    async fn signed_in(&self) -> (Sandbox, Engine) {
        let (sandbox, engine, outcome) = self.sign_in().await;
        outcome.unwrap();
        (sandbox, engine)
    }
}

/// The claims of a request's proof.
fn claims(request: &Request) -> Option<Value> {
    let proof = request.headers.get("dpop")?.to_str().unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(proof.split('.').nth(1).unwrap()).unwrap();
    Some(serde_json::from_slice(&claims).unwrap())
}

fn nonce_required(nonce: &str) -> Reply {
    let challenge = "DPoP error=\"use_dpop_nonce\"";
    Reply::text(401, "").with("www-authenticate", challenge).with("dpop-nonce", nonce)
}

#[tokio::test]
async fn a_bearer_token_is_sent_without_a_proof() {
    let service = Service::start("Bearer", |_, _| None).await;
    let (sandbox, engine) = service.signed_in().await;
    until(&engine, &id(), is_connected).await;
    let requests = service.authorized("/mcp");
    assert!(requests.len() >= 2);
    for request in &requests {
        assert!(request.authorization().starts_with("Bearer ") && claims(request).is_none());
    }
    assert_eq!(stored(&sandbox).await.token_type, "Bearer");
    assert!(claims(&service.service.requests_to("POST /token")[0]).is_some(), "the proof was not sent");
}

#[tokio::test]
async fn a_step_up_never_replaces_a_bound_token_by_a_bearer_token() {
    // The second challenge names another document than the first, so the metadata is read again.
    for extra in ["", ", resource_metadata=\"/.well-known/oauth-protected-resource/mcp\""] {
        let service = Service::start("DPoP", move |request, _| {
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"more\"{extra}");
            let refused = Reply::text(403, "").with("www-authenticate", &challenge);
            (request.rpc_method() == "tools/call").then_some(refused)
        })
        .await;
        let (_sandbox, engine) = service.signed_in().await;
        until(&engine, &id(), is_connected).await;
        let waiting = tokio::spawn({
            let engine = engine.clone();
            async move { call(&engine, "write").await }
        });
        until(&engine, &id(), |view| view.permission.is_some()).await;
        service.service.forget_requests();
        let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
        let is_metadata = |request: &Request| request.path.starts_with("/.well-known/");
        assert_eq!(service.service.requests().iter().any(is_metadata), !extra.is_empty());
        let callback = service.service.approve(&request.authorization_url).unwrap();
        engine.complete_sign_in(&callback).await.unwrap();
        let token_request = service.service.requests_to("POST /token").remove(0);
        assert!(claims(&token_request).is_some(), "the new token is bound, too: {extra}");
        engine.stop().await;
        waiting.await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn each_request_has_a_proof_of_its_own() {
    let service = Service::start("DPoP", |request, nonce| {
        // Each response could carry a nonce; the server refuses only requests without one.
        claims(request)?["nonce"].is_null().then(|| nonce_required(nonce))
    })
    .await;
    let (_sandbox, engine) = service.signed_in().await;
    until(&engine, &id(), is_connected).await;
    call(&engine, "read").await.unwrap();
    let requests = service.authorized("/mcp");
    let mut ids = Vec::new();
    for request in &requests {
        assert!(request.authorization().starts_with("DPoP "), "{}", request.authorization());
        let claims = claims(request).expect("a proof");
        assert_eq!((&claims["htm"], &claims["htu"]), (&json!("POST"), &json!(service.service.url())));
        assert!(claims["ath"].is_string());
        let id = claims["jti"].clone();
        assert!(!ids.contains(&id), "a used proof");
        ids.push(id);
    }
    let nonces: Vec<_> = requests.iter().map(|request| claims(request).unwrap()["nonce"].clone()).collect();
    assert_eq!(nonces[..3], [Value::Null, json!("n-0"), json!("n-0")]);
}

#[tokio::test]
async fn a_server_that_refuses_its_own_nonces_gets_one_repetition_and_no_refresh() {
    let service = Service::start("DPoP", |_, nonce| Some(nonce_required(nonce))).await;
    let (_sandbox, engine, outcome) = service.sign_in().await;
    until(&engine, &id(), has_failed).await;
    let error = outcome.unwrap_err();
    assert_eq!(error.code, Code::ProtocolError);
    assert!(error.message.contains("nonce"), "{}", error.message);
    // `server/discover` and `initialize`, each twice.
    assert_eq!((service.authorized("/mcp").len(), service.nonces.load(Ordering::SeqCst)), (4, 4));
    assert_eq!(service.service.requests_to("POST /token").len(), 1);
}

#[tokio::test]
async fn an_invalid_proof_is_repeated_with_the_time_of_the_server() {
    let service = Service::start("DPoP", |request, _| {
        let issued_at = claims(request)?["iat"].as_i64()?;
        let is_late = issued_at < 4_000_000_000;
        let refused = Reply::text(401, "").with("www-authenticate", "DPoP error=\"invalid_dpop_proof\"");
        is_late.then(|| refused.with("date", "Fri, 01 Jan 2100 00:00:00 GMT"))
    })
    .await;
    let (_sandbox, engine) = service.signed_in().await;
    until(&engine, &id(), is_connected).await;
    call(&engine, "read").await.unwrap();
    let is_late = |request: &&Request| claims(request).unwrap()["iat"].as_i64() < Some(4_000_000_000);
    assert_eq!(service.authorized("/mcp").iter().filter(is_late).count(), 1);
    assert_eq!(service.service.requests_to("POST /token").len(), 1);
}

#[tokio::test]
async fn a_redirect_within_the_origin_gets_a_new_proof_and_another_origin_none() {
    let service =
        Service::start("DPoP", |_, nonce| Some(Reply::redirect(307, "/moved").with("dpop-nonce", nonce)))
            .await;
    let (_sandbox, engine) = service.signed_in().await;
    until(&engine, &id(), is_connected).await;
    let (first, second) = (&service.authorized("/mcp")[0], &service.authorized("/moved")[0]);
    let (first, second) = (claims(first).unwrap(), claims(second).unwrap());
    assert_eq!(
        (&first["htu"], &second["htu"]),
        (&json!(service.service.url()), &json!(service.service.at("/moved")))
    );
    assert_ne!(first["jti"], second["jti"]);
    assert_eq!((&first["nonce"], &second["nonce"]), (&Value::Null, &json!("n-0")));

    let other = FakeService::start(Options::default()).await.unwrap();
    let target = other.at("/mcp");
    let service = Service::start("DPoP", move |_, _| Some(Reply::redirect(307, &target))).await;
    let (_sandbox, engine, outcome) = service.sign_in().await;
    outcome.unwrap_err();
    until(&engine, &id(), has_failed).await;
    assert!(!service.authorized("/mcp").is_empty() && other.requests().is_empty());
}
