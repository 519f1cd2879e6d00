//! Restarts: stored grants and learned metadata are used again.

use std::time::Duration;

use usher_api::{
    AuthView, Code, NeedsSignIn, RegistrationKind, Reply, Request, SecretStoreView, ServerVerb, ServerView,
    Status,
};
use usher_engine::{Engine, EngineOptions, SignInOptions};
use usher_secrets::StoreKind;

use crate::fixture::*;

#[tokio::test]
async fn a_start_with_a_stored_grant_needs_no_discovery() {
    let (sandbox, demo) = signed_in_before().await;
    demo.forget_requests();
    sandbox.start_connected().await;
    assert_eq!(requests(&demo), ["POST /mcp server/discover 200", "POST /mcp tools/list 200"]);
}

#[tokio::test]
async fn a_later_sign_in_needs_neither_discovery_nor_registration() {
    let (_sandbox, demo, engine) = signed_in(Default::default()).await;
    engine.sign_out(&id()).await.unwrap();
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    let requests = requests(&demo);
    let count = |path: &str| requests.iter().filter(|request| request.contains(path)).count();
    assert_eq!((count(".well-known"), count("/register")), (0, 0), "{requests:?}");
}

#[tokio::test]
async fn forgetting_a_server_makes_the_next_sign_in_discover_and_register_again() {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    let registration = |engine: &Engine| match engine.server(&id()).unwrap().auth {
        AuthView::OAuth { registration, signed_in: true, .. } => registration,
        auth => panic!("{auth:?}"),
    };
    assert_eq!(registration(&engine), Some(RegistrationKind::Dynamic));

    let request = Request::server(&id(), ServerVerb::Forget);
    assert_eq!(engine.handle(request).await, Ok(Reply::Done));
    until(&engine, &id(), |view| matches!(view.auth, AuthView::OAuth { registration: None, .. })).await;
    assert_eq!(registration(&engine), None);
    engine.stop().await;

    // The grant survives a restart, and a refresh still uses the forgotten client.
    let engine = sandbox.start_connected().await;
    sandbox.clock.advance(Duration::from_secs(24 * 60 * 60));
    engine.tools(&id()).await.unwrap();
    until(&engine, &id(), is_connected).await;

    engine.sign_out(&id()).await.unwrap();
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    let requests = requests(&demo);
    let count = |path: &str| requests.iter().filter(|request| request.contains(path)).count();
    assert!(count(".well-known") > 0 && count("/register") == 1, "{requests:?}");
}

#[tokio::test]
async fn damaged_metadata_is_moved_aside() {
    let (sandbox, _demo) = signed_in_before().await;
    std::fs::write(sandbox.path("state/kept.json"), "{ not json").unwrap();
    let engine = sandbox.start_connected().await;
    engine.stop().await;
    let aside = std::fs::read_to_string(sandbox.path("state/kept.json.broken")).unwrap();
    assert_eq!(aside, "{ not json");
}

#[cfg(unix)]
#[tokio::test]
async fn stored_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let (sandbox, _demo, engine) = signed_in(Default::default()).await;
    let mode = |name: &str| std::fs::metadata(sandbox.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("runtime"), 0o700);
    assert_eq!(mode("runtime/engine.lock"), 0o600);
    engine.stop().await;
    assert_eq!(mode("state"), 0o700);
    assert_eq!(mode("state/kept.json"), 0o600);
    let kept = std::fs::read_to_string(sandbox.path("state/kept.json")).unwrap();
    assert!(!kept.contains("token\":"), "{kept}");
}

#[tokio::test]
async fn a_grant_of_another_address_is_never_sent() {
    let ((sandbox, one), other) = (signed_in_before().await, demo().await);
    sandbox.configure(&other);
    let engine = sandbox.start().await;
    let view = until_sign_in_needed(&engine, NeedsSignIn::NeverSignedIn).await;
    assert!(view.last_error.unwrap().message.contains("another service"));
    engine.stop().await;
    sandbox.configure(&one);
    sandbox.start_connected().await;
}

/// The person approves the request after Usher was restarted with another address for the same server.
#[tokio::test]
async fn a_waiting_sign_in_of_another_address_is_never_completed() {
    let (sandbox, one, engine) = started(Default::default()).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "allow").await;
    engine.stop().await;
    let other = demo().await;
    sandbox.configure(&other);
    let engine = sandbox.start().await;
    until(&engine, &id(), needs_sign_in).await;
    let error = engine.complete_sign_in(&callback).await.unwrap_err();
    assert_eq!(error.code, Code::AuthorizationExpired);
    engine.stop().await;
    assert_eq!(one.token_requests("authorization_code"), 0, "the code was exchanged");
    assert_eq!(requests(&other).iter().filter(|line| !line.contains("/mcp")).count(), 0);

    // With the address of the request, the same callback would have been accepted.
    sandbox.configure(&one);
    let engine = sandbox.start().await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let callback = decide(&request, "allow").await;
    engine.stop().await;
    let engine = sandbox.start().await;
    engine.complete_sign_in(&callback).await.unwrap();
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_grant_of_another_client_id_is_never_sent() {
    let (sandbox, demo) = signed_in_before().await;
    let url = demo.url();
    sandbox.write_config(&format!(
        r#"{{ "mcpServers": {{ "demo": {{ "type": "http", "url": "{url}", "oauth": {{ "clientId": "ours" }} }} }} }}"#
    ));
    demo.forget_requests();
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert!(view.last_error.unwrap().message.contains("does not use it"));
    engine.stop().await;
    assert_eq!(requests(&demo), ["POST /mcp 401"]);
    sandbox.configure(&demo);
    sandbox.start_connected().await;
}

/// Between two runs, the server can change its metadata, or another program can change the file with the learned
/// metadata. In both cases, the grant is sent to no other server.
#[tokio::test]
async fn a_stored_grant_goes_to_no_other_authorization_server() {
    let ((sandbox, demo), canary) = (signed_in_before().await, demo().await);
    sandbox.clock.advance(Duration::from_secs(30 * 24 * 3600));
    let file = sandbox.path("state/kept.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    let (own, other) =
        (demo.url().origin().ascii_serialization(), canary.url().origin().ascii_serialization());
    let positions: Vec<_> = kept.match_indices(&own).map(|(position, _)| position).collect();
    let mut not_used = Vec::new();
    for at in positions {
        let mut changed = kept.clone();
        changed.replace_range(at..at + own.len(), &other);
        std::fs::write(&file, &changed).unwrap();
        let engine = sandbox.start().await;
        let settled = |view: &ServerView| !matches!(view.status, Status::Connecting);
        let view = until(&engine, &id(), settled).await;
        engine.stop().await;
        assert_eq!(requests(&canary), [""; 0], "{changed}");
        if view.last_error.is_some_and(|error| error.message.contains("does not use it")) {
            let line = kept[..at].lines().last().unwrap();
            not_used.push(line.trim().trim_end_matches(": \"").to_owned());
        }
    }
    assert_eq!(not_used, ["\"resource\"", "\"issuer\"", "\"token_endpoint\""], "{kept}");
}

#[tokio::test]
async fn a_broken_secret_store_loses_no_sign_in() {
    let (sandbox, _demo) = signed_in_before().await;
    let kept = std::fs::read(sandbox.path("secrets")).unwrap();
    std::fs::write(sandbox.path("secrets"), "not secrets").unwrap();
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), has_failed).await;
    let Status::Failed { error } = view.status else { panic!("not failed") };
    assert_eq!(error.code, Code::KeychainUnavailable);
    let SecretStoreView::File { error, .. } = engine.snapshot().secret_store else { panic!("not a file") };
    assert_eq!(error.unwrap().code, Code::KeychainUnavailable);
    engine.retry_secret_store().await.unwrap_err();

    std::fs::write(sandbox.path("secrets"), kept).unwrap();
    engine.retry_secret_store().await.unwrap();
    until(&engine, &id(), is_connected).await;
    let SecretStoreView::File { error: None, .. } = engine.snapshot().secret_store else {
        panic!("still an error")
    };
}

#[tokio::test]
async fn only_one_engine_runs() {
    let sandbox = Sandbox::new();
    let engine = sandbox.start().await;
    match Engine::start(sandbox.options()).await {
        Err(usher_engine::StartError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a second engine started"),
    }
    engine.stop().await;
    sandbox.start().await.stop().await;
}

#[tokio::test]
async fn a_memory_store_is_lost_with_the_engine() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let options = EngineOptions { secret_store: StoreKind::Memory, ..sandbox.options() };
    let engine = Engine::start(options.clone()).await.unwrap();
    sign_in(&engine, &id()).await.unwrap();
    engine.stop().await;
    let engine = Engine::start(options).await.unwrap();
    until(&engine, &id(), needs_sign_in).await;
}
