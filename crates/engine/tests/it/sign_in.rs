//! Sign-in: the requests, the events, and invalid callbacks.

use std::time::Duration;

use usher_api::{AuthView, Code, NeedsSignIn, RedirectKind, RegistrationKind, Status};
use usher_demo::Demo;
use usher_engine::{Engine, EngineOptions, SignInOptions};

use crate::fixture::*;

#[tokio::test]
async fn the_first_sign_in_repeats_no_request() {
    let (_sandbox, demo, _engine) = signed_in(Default::default()).await;
    let expected = [
        "POST /mcp 401",
        "GET /.well-known/oauth-protected-resource/mcp 200",
        "GET /.well-known/oauth-authorization-server 200",
        "POST /register 201",
        "GET /authorize 200",
        "POST /authorize 303",
        "POST /token authorization_code 200",
        "POST /mcp server/discover 200",
        "POST /mcp tools/list 200",
    ];
    assert_eq!(requests(&demo), expected);
}

#[tokio::test]
async fn each_step_of_a_sign_in_is_an_event() {
    let (_sandbox, _demo, engine) = started(Default::default()).await;
    let mut log = EventLog::start(&engine);
    until(&engine, &id(), needs_sign_in).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    engine.browser_opened(&id());
    assert_eq!(approve(&engine, &request).await.unwrap(), id());
    let events = log.lines();
    let tools = engine.tools(&id()).await.unwrap().len();
    let expected = [
        "demo needs sign-in: NeverSignedIn".to_owned(),
        "demo signing in: Discovering".to_owned(),
        "demo signing in: Registering".to_owned(),
        "demo signing in: WaitingForBrowser".to_owned(),
        "demo signing in: browser opened".to_owned(),
        "demo signing in: Exchanging".to_owned(),
        "demo signing in: Connecting".to_owned(),
        format!("demo connected, {tools} tools"),
        "demo tools changed".to_owned(),
    ];
    assert_eq!(events, expected);
}

#[tokio::test]
async fn a_connected_server_shows_its_account_and_its_issuer() {
    let (_sandbox, demo, engine) = signed_in(Default::default()).await;
    let view = engine.server(&id()).unwrap();
    let AuthView::OAuth {
        signed_in,
        issuer,
        account,
        scopes,
        refreshable,
        registration,
        redirect,
        resource,
        ..
    } = view.auth
    else {
        panic!("{:?}", view.auth)
    };
    assert!(signed_in && refreshable);
    assert_eq!(issuer.as_deref(), Some(demo.issuer()));
    assert_eq!(account.as_deref(), Some("ada@example.org"));
    assert!(scopes.iter().any(|scope| scope == "notes:read"), "{scopes:?}");
    assert_eq!(registration, Some(RegistrationKind::Dynamic));
    assert_eq!(redirect, Some(RedirectKind::Link));
    assert_eq!(resource.as_deref(), Some(demo.url().as_str()));
    assert!(view.last_error.is_none());
}

#[tokio::test]
async fn a_denied_sign_in_is_reported_and_the_next_one_works() {
    let (_sandbox, _demo, engine) = started(Default::default()).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "deny").await;
    let error = engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(error.code, Code::AuthorizationDenied);
    let view = until_sign_in_needed(&engine, NeedsSignIn::Denied).await;
    assert_eq!(view.last_error, Some(error));
    sign_in(&engine, &id()).await.unwrap();
}

#[tokio::test]
async fn a_hostile_callback_does_not_end_the_sign_in() {
    let (_sandbox, demo, engine) = started(Default::default()).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let before = engine.server(&id());
    let hostile = [
        "dev.usher.desktop:/oauth/callback?code=stolen&state=wrong",
        "dev.usher.desktop:/oauth/callback?error=access_denied&state=wrong",
        "dev.usher.desktop:/oauth/callback?error=access_denied",
        "dev.usher.desktop:/install?name=x&command=rm",
        "https://evil.example/oauth/callback?code=a&state=b",
        "",
        "\u{0}",
    ];
    let requests = demo.requests().len();
    for address in hostile {
        engine.complete_sign_in(address).await.unwrap_err();
        assert_eq!(engine.server(&id()), before, "{address:?}");
    }
    assert_eq!(demo.requests().len(), requests, "nothing was sent");
    let callback = decide(&request, "allow").await;
    engine.complete_sign_in(&callback).await.unwrap();
    let error = engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(error.code, Code::AuthorizationExpired, "a callback works only once");
    assert!(is_connected(&engine.server(&id()).unwrap()));
}

#[tokio::test]
async fn a_cancel_ends_the_sign_in() {
    let (_sandbox, _demo, engine) = started(Default::default()).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_eq!(engine.authorization_request(&id()), Some(request.clone()));
    engine.cancel_sign_in(&id()).await;
    let view = engine.server(&id()).unwrap();
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    assert_eq!(engine.authorization_request(&id()), None);
    assert_eq!(approve(&engine, &request).await.unwrap_err().code, Code::AuthorizationExpired);
}

#[tokio::test]
async fn a_second_sign_in_replaces_the_first() {
    let (_sandbox, _demo, engine) = started(Default::default()).await;
    let first = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let second = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_ne!(first.authorization_url, second.authorization_url);
    approve(&engine, &first).await.unwrap_err();
    approve(&engine, &second).await.unwrap();
}

#[tokio::test]
async fn a_sign_in_fails_after_its_deadline() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let options = EngineOptions { sign_in_timeout: Duration::from_millis(100), ..sandbox.options() };
    let engine = Engine::start(options).await.unwrap();
    engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.last_error.unwrap().code, Code::AuthorizationExpired);
}

#[tokio::test]
async fn sign_out_deletes_and_revokes_the_grant() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    engine.sign_out(&id()).await.unwrap();
    let view = engine.server(&id()).unwrap();
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::SignedOut });
    engine.disable(&id()).await.unwrap();
    engine.sign_out(&id()).await.unwrap();
    assert_eq!(engine.server(&id()).unwrap().status, Status::Disabled);
    engine.enable(&id()).await.unwrap();
    engine.stop().await;
    assert!(requests(&demo).contains(&"POST /revoke 200".to_owned()), "{:?}", requests(&demo));
    let engine = sandbox.start().await;
    until(&engine, &id(), needs_sign_in).await;
}

/// The callback of a sign-in that was pending when its engine stopped.
async fn callback_after_the_stop() -> (Sandbox, Demo, String) {
    let (sandbox, demo, engine) = started(Default::default()).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    engine.stop().await;
    (sandbox, demo, decide(&request, "allow").await)
}

#[tokio::test]
async fn a_pending_sign_in_survives_a_restart() {
    let (sandbox, _demo, callback) = callback_after_the_stop().await;
    let engine = sandbox.start().await;
    let forged = "dev.usher.desktop:/oauth/callback?code=a&state=b";
    engine.complete_sign_in(forged).await.unwrap_err();
    assert_eq!(engine.complete_sign_in(&callback).await.unwrap(), id());
    engine.complete_sign_in(&callback).await.unwrap_err();
    assert!(is_connected(&engine.server(&id()).unwrap()));
}

#[tokio::test]
async fn a_pending_sign_in_is_found_even_if_its_server_starts_after_the_first_callback() {
    let (sandbox, _demo, callback) = callback_after_the_stop().await;
    let options = EngineOptions { only: Some(Vec::new()), ..sandbox.options() };
    let engine = Engine::start(options).await.unwrap();
    engine.complete_sign_in(&callback).await.unwrap_err();
    engine.run_also(Some(&[id()])).await;
    assert_eq!(engine.complete_sign_in(&callback).await.unwrap(), id());
}

#[tokio::test]
async fn a_pending_sign_in_survives_a_broken_secret_store() {
    let (sandbox, _demo, callback) = callback_after_the_stop().await;
    let kept = std::fs::read(sandbox.path("secrets")).unwrap();
    std::fs::write(sandbox.path("secrets"), "not secrets").unwrap();
    let engine = sandbox.start().await;
    let error = engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainUnavailable, "{error:?}");
    std::fs::write(sandbox.path("secrets"), kept).unwrap();
    engine.retry_secret_store().await.unwrap();
    assert_eq!(engine.complete_sign_in(&callback).await.unwrap(), id());
}
