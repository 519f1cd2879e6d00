//! Sign-in: the requests, the events, and invalid callbacks.

use usher_api::{AuthView, Code, NeedsSignIn, RedirectKind, RegistrationKind, Status};
use usher_demo::Demo;
use usher_engine::SignInOptions;

use crate::fixture::*;

#[tokio::test]
async fn the_first_sign_in_repeats_no_request() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let engine = signed_in(&sandbox, &demo).await;
    let page = ["GET /authorize 200", "POST /authorize 303"];
    let expected = [
        "POST /mcp 401",
        "GET /.well-known/oauth-protected-resource/mcp 200",
        "GET /.well-known/oauth-authorization-server 200",
        "POST /register 201",
        page[0],
        page[1],
        "POST /token authorization_code 200",
        "POST /mcp server/discover 200",
        "POST /mcp tools/list 200",
    ];
    assert_eq!(requests(&demo), expected);
    engine.stop().await;
}

#[tokio::test]
async fn each_step_of_a_sign_in_is_an_event() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let engine = sandbox.start().await;
    let mut log = EventLog::start(&engine);
    until(&engine, &id(), needs_sign_in).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    engine.browser_opened(&id());
    let callback = decide(&request, "allow").await;
    assert_eq!(engine.complete_sign_in(&callback).await.unwrap(), id());
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
    engine.stop().await;
}

#[tokio::test]
async fn a_connected_server_shows_its_account_and_its_issuer() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let engine = signed_in(&sandbox, &demo).await;
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
    engine.stop().await;
}

#[tokio::test]
async fn a_denied_sign_in_is_reported_and_the_next_one_works() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let engine = sandbox.start().await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "deny").await;
    let error = engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(error.code, Code::AuthorizationDenied);
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::Refused });
    assert_eq!(view.last_error, Some(error));
    sign_in(&engine, &id()).await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn a_hostile_callback_does_not_end_the_sign_in() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let engine = sandbox.start().await;
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
    engine.stop().await;
}

#[tokio::test]
async fn a_cancel_ends_the_sign_in() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let engine = sandbox.start().await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_eq!(engine.authorization_request(&id()), Some(request.clone()));
    engine.cancel_sign_in(&id()).await;
    let view = engine.server(&id()).unwrap();
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    assert_eq!(engine.authorization_request(&id()), None);
    let callback = decide(&request, "allow").await;
    let error = engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(error.code, Code::AuthorizationExpired);
    engine.stop().await;
}

#[tokio::test]
async fn a_second_sign_in_replaces_the_first() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let engine = sandbox.start().await;
    let first = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let second = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_ne!(first.authorization_url, second.authorization_url);
    let stale = decide(&first, "allow").await;
    engine.complete_sign_in(&stale).await.unwrap_err();
    let callback = decide(&second, "allow").await;
    engine.complete_sign_in(&callback).await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn a_sign_in_fails_after_its_deadline() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let mut options = sandbox.options();
    options.sign_in_timeout = std::time::Duration::from_millis(100);
    let engine = usher_engine::Engine::start(options).await.unwrap();
    engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.last_error.unwrap().code, Code::AuthorizationExpired);
    engine.stop().await;
}

#[tokio::test]
async fn sign_out_deletes_and_revokes_the_grant() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let engine = signed_in(&sandbox, &demo).await;
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
    engine.stop().await;
}

/// The callback of a sign-in that was pending when its engine stopped.
async fn callback_after_the_stop(sandbox: &Sandbox, demo: &Demo) -> String {
    sandbox.configure(demo);
    let engine = sandbox.start().await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    engine.stop().await;
    decide(&request, "allow").await
}

#[tokio::test]
async fn a_pending_sign_in_survives_a_restart() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let callback = callback_after_the_stop(&sandbox, &demo).await;
    let engine = sandbox.start().await;
    let forged = "dev.usher.desktop:/oauth/callback?code=a&state=b";
    engine.complete_sign_in(forged).await.unwrap_err();
    assert_eq!(engine.complete_sign_in(&callback).await.unwrap(), id());
    engine.complete_sign_in(&callback).await.unwrap_err();
    assert!(is_connected(&engine.server(&id()).unwrap()));
    engine.stop().await;
}

#[tokio::test]
async fn a_pending_sign_in_is_found_even_if_its_server_starts_after_the_first_callback() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let callback = callback_after_the_stop(&sandbox, &demo).await;
    let options = usher_engine::EngineOptions { only: Some(Vec::new()), ..sandbox.options() };
    let engine = usher_engine::Engine::start(options).await.unwrap();
    engine.complete_sign_in(&callback).await.unwrap_err();
    engine.run_also(Some(&[id()])).await;
    assert_eq!(engine.complete_sign_in(&callback).await.unwrap(), id());
    engine.stop().await;
}

#[tokio::test]
async fn a_pending_sign_in_survives_a_broken_secret_store() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let callback = callback_after_the_stop(&sandbox, &demo).await;
    let kept = std::fs::read(sandbox.path("secrets")).unwrap();
    std::fs::write(sandbox.path("secrets"), "not secrets").unwrap();
    let engine = sandbox.start().await;
    let error = engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(error.code, Code::KeychainUnavailable, "{error:?}");
    std::fs::write(sandbox.path("secrets"), kept).unwrap();
    engine.retry_secret_store().await.unwrap();
    assert_eq!(engine.complete_sign_in(&callback).await.unwrap(), id());
    engine.stop().await;
}
