//! Sign-in with a code that the person enters on another device (RFC 8628).

use std::time::Duration;

use jiff::Timestamp;
use serde_json::json;
use usher_api::{AuthView, Code, NeedsSignIn, Reply, Request, SignInRequest, SignInStep, Status};
use usher_demo::{Demo, DemoOptions};
use usher_engine::{Engine, SignInOptions};
use usher_fake_service::{FakeService, Options, Reply as Response};
use usher_oauth::DeviceAuthorization;
use usher_secrets::{SecretStore, StoreKind};

use crate::fixture::*;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:device_code";

fn polls(demo: &Demo) -> usize {
    demo.token_requests(GRANT_TYPE)
}

fn is_waiting(engine: &Engine) -> bool {
    matches!(
        engine.server(&id()).unwrap().status,
        Status::SigningIn { step: SignInStep::WaitingForDevice, .. }
    )
}

#[tokio::test]
async fn the_person_approves_on_another_device_and_the_server_connects() {
    let (sandbox, demo, engine) = started(Default::default()).await;
    let mut log = EventLog::start(&engine);
    until(&engine, &id(), needs_sign_in).await;
    let device = sign_in_on_device(&engine).await.unwrap();
    let view = engine.server(&id()).unwrap();
    let Status::SigningIn { step, host, device: Some(shown), expires_at, .. } = view.status else {
        panic!("{:?}", view.status)
    };
    assert_eq!((step, host.as_deref()), (SignInStep::WaitingForDevice, Some("127.0.0.1")));
    assert_eq!((&shown, expires_at), (&device, Some(device.expires_at)));
    assert_eq!(device.verification_uri, format!("{}/device", demo.issuer()));
    let complete = format!("{}?user_code={}", device.verification_uri, device.user_code);
    assert_eq!(device.verification_uri_complete, Some(complete));
    assert!(view.offers_device);

    until_true(|| polls(&demo) >= 1).await;
    decide_on_device(&device, "allow").await;
    let view = until(&engine, &id(), is_connected).await;
    assert!(matches!(view.auth, AuthView::OAuth { signed_in: true, refreshable: true, redirect: None, .. }));
    let tools = engine.tools(&id()).await.unwrap().len();
    let expected = [
        "demo needs sign-in: NeverSignedIn".to_owned(),
        "demo signing in: Discovering".to_owned(),
        "demo signing in: Registering".to_owned(),
        "demo signing in: WaitingForDevice".to_owned(),
        "demo signing in: Connecting".to_owned(),
        format!("demo connected, {tools} tools"),
        "demo tools changed".to_owned(),
    ];
    assert_eq!(log.lines(), expected);
    let expected = [
        "POST /mcp 401",
        "GET /.well-known/oauth-protected-resource/mcp 200",
        "GET /.well-known/oauth-authorization-server 200",
        "POST /register 201",
        "POST /device_authorization 200",
        "POST /token urn:ietf:params:oauth:grant-type:device_code 400",
        "POST /device 200",
        "POST /device 200",
        "POST /token urn:ietf:params:oauth:grant-type:device_code 200",
        "POST /mcp server/discover 200",
        "POST /mcp tools/list 200",
    ];
    // On a busy computer, Usher polls more than once before the approval.
    let mut sent = requests(&demo);
    let mut is_first = true;
    sent.retain(|line| line != expected[5] || std::mem::take(&mut is_first));
    assert_eq!(sent, expected);

    // A later sign-in uses the same client, and nothing of the first one is left in the secret store.
    let secrets = std::fs::read_to_string(sandbox.path("secrets")).unwrap();
    assert!(!secrets.contains("pending:"), "the finished sign-in is deleted");
    engine.sign_out(&id()).await.unwrap();
    demo.forget_requests();
    sign_in_on_device(&engine).await.unwrap();
    assert!(!requests(&demo).iter().any(|line| line.contains("register")), "{:?}", requests(&demo));
    engine.cancel_sign_in(&id()).await;

    // The service has forgotten the client, so a new one is registered.
    demo.forget_clients();
    sign_in_on_device(&engine).await.unwrap();
    assert_eq!(requests(&demo).iter().filter(|line| line.contains("register")).count(), 1);
}

#[tokio::test]
async fn the_flow_in_mcp_json_chooses_the_device() {
    let demo = demo().await;
    let sandbox = Sandbox::new();
    let entry = json!({ "type": "http", "url": demo.url(), "oauth": { "flow": "device" } });
    sandbox.write_config(&json!({ "mcpServers": { "demo": entry } }).to_string());
    let engine = sandbox.start().await;
    let error = engine.sign_in(&id(), SignInOptions::default()).await.unwrap_err();
    assert_eq!(error.code, Code::ProtocolError);
    let started = engine.start_sign_in(&id(), SignInOptions::default()).await.unwrap();
    let SignInRequest::Device(device) = started else { panic!("{started:?}") };
    decide_on_device(&device, "allow").await;
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_request_over_the_socket_returns_the_code() {
    let (_sandbox, _demo, engine) = started(Default::default()).await;
    let request = Request::SignIn {
        server: id(),
        redirect: None,
        receives_links: None,
        extra_scopes: Vec::new(),
        confirmed_hosts: Vec::new(),
        on_device: true,
    };
    let Reply::Device(device) = engine.handle(request).await.unwrap() else { panic!("no code") };
    assert_eq!(device.user_code.len(), 9);
}

#[tokio::test]
async fn a_denied_request_is_reported() {
    let (_sandbox, _demo, engine) = started(Default::default()).await;
    let device = sign_in_on_device(&engine).await.unwrap();
    decide_on_device(&device, "deny").await;
    let view = until_sign_in_needed(&engine, NeedsSignIn::Denied).await;
    assert_eq!(view.last_error.unwrap().code, Code::AuthorizationDenied);
}

#[tokio::test]
async fn an_expired_code_ends_the_sign_in() {
    let options = DemoOptions { device_code_lifetime: Duration::from_secs(3), ..DemoOptions::default() };
    let (_sandbox, _demo, engine) = started(options).await;
    sign_in_on_device(&engine).await.unwrap();
    let view = until_sign_in_needed(&engine, NeedsSignIn::NeverSignedIn).await;
    assert_eq!(view.last_error.unwrap().code, Code::AuthorizationExpired);
}

#[tokio::test]
async fn a_cancel_ends_the_polls() {
    let (sandbox, demo, engine) = started(Default::default()).await;
    let device = sign_in_on_device(&engine).await.unwrap();
    until_true(|| polls(&demo) >= 1).await;
    engine.cancel_sign_in(&id()).await;
    let before = polls(&demo);
    decide_on_device(&device, "allow").await;
    assert_eq!(
        engine.server(&id()).unwrap().status,
        Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn }
    );
    // The next sign-in polls for its own code only.
    let next = sign_in_on_device(&engine).await.unwrap();
    until_true(|| polls(&demo) > before).await;
    assert!(is_waiting(&engine), "the first approval has no effect");
    decide_on_device(&next, "allow").await;
    until(&engine, &id(), is_connected).await;
    drop(sandbox);
}

#[tokio::test]
async fn a_sign_in_survives_a_restart_of_usher() {
    let (sandbox, demo, engine) = started(Default::default()).await;
    let device = sign_in_on_device(&engine).await.unwrap();
    engine.stop().await;
    let before = polls(&demo);
    decide_on_device(&device, "allow").await;
    let engine = sandbox.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(polls(&demo), before + 1);
    engine.stop().await;

    // A sign-in that was cancelled or has expired does not come back.
    let engine = sandbox.start_connected().await;
    engine.sign_out(&id()).await.unwrap();
    sign_in_on_device(&engine).await.unwrap();
    engine.stop().await;
    sandbox.clock.advance(Duration::from_secs(600));
    let engine = sandbox.start().await;
    until(&engine, &id(), needs_sign_in).await;
    let (asked_before, secrets) = (polls(&demo), std::fs::read_to_string(sandbox.path("secrets")).unwrap());
    assert!(secrets.contains("pending:"), "the test needs a stored sign-in");
    call(&engine, "read_page").await.unwrap_err();
    assert!(!is_waiting(&engine) && polls(&demo) == asked_before);
}

/// The time between two polls of the stored sign-in.
async fn stored_wait(sandbox: &Sandbox) -> Option<Duration> {
    let store = SecretStore::open(StoreKind::File(sandbox.path("secrets")));
    let device = DeviceAuthorization::from_secret(&store.pending("demo").await.unwrap()?)?;
    device.next_poll(Timestamp::now()).ok()
}

#[tokio::test]
async fn a_longer_interval_survives_a_restart() {
    let service = FakeService::start(Options::default()).await.unwrap();
    service.change_server_metadata(json!({
        "device_authorization_endpoint": service.at("/device_authorization"),
        "grant_types_supported": null,
    }));
    let codes = json!({
        "device_code": "a-device-code", "user_code": "WDJB-MJHT", "verification_uri": service.at("/device"),
        "interval": 1, "expires_in": 600,
    });
    service.on("POST /device_authorization", Response::json(codes));
    service.on("POST /token", Response::oauth_error(400, "slow_down"));
    let (sandbox, engine) = started_at(&service.url()).await;
    sign_in_on_device(&engine).await.unwrap();
    // Each `slow_down` adds five seconds, and each wait one.
    let slowed_down = async {
        while stored_wait(&sandbox).await != Some(Duration::from_secs(7)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, slowed_down).await.unwrap();
    assert_eq!(service.requests_to("POST /token").len(), 1);
    engine.stop().await;

    let engine = sandbox.start().await;
    until_true(|| is_waiting(&engine)).await;
    assert_eq!(stored_wait(&sandbox).await, Some(Duration::from_secs(7)));
    engine.cancel_sign_in(&id()).await;
    until_true(|| !std::fs::read_to_string(sandbox.path("secrets")).unwrap().contains("pending:")).await;
}

#[tokio::test]
async fn a_waiting_sign_in_ends_when_its_address_changes() {
    let (sandbox, _demo, engine) = started(Default::default()).await;
    sign_in_on_device(&engine).await.unwrap();
    let other = demo().await;
    sandbox.configure(&other);
    until(&engine, &id(), |view| view.address == other.url().as_str() && needs_sign_in(view)).await;
    until_true(|| !std::fs::read_to_string(sandbox.path("secrets")).unwrap().contains("pending:")).await;
    // A poll would come within two seconds.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!is_waiting(&engine));
    assert_eq!(polls(&other), 0);
}

#[tokio::test]
async fn a_server_without_the_endpoint_gets_a_clear_error() {
    let service = FakeService::start(Options::default()).await.unwrap();
    let (_sandbox, engine) = started_at(&service.url()).await;
    let error = sign_in_on_device(&engine).await.unwrap_err();
    assert_eq!(error.code, Code::DiscoveryFailed);
    assert!(error.message.contains("offers no sign-in on another device"), "{}", error.message);
    let view = engine.server(&id()).unwrap();
    assert!(!view.offers_device && needs_sign_in(&view));
}
