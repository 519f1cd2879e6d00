//! After a restart: what was learned is known, and what is kept is used.

use std::time::Duration;

use usher_api::{Code, NeedsSignIn, SecretStoreView, ServerView, Status};
use usher_engine::Engine;
use usher_secrets::StoreKind;

use crate::fixture::*;

#[tokio::test]
async fn a_kept_sign_in_starts_without_discovery() {
    let (place, demo) = (Place::new(), demo().await);
    signed_in(&place, &demo).await.stop().await;
    demo.forget_requests();
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(ledger(&demo), ["POST /mcp server/discover 200", "POST /mcp tools/list 200"]);
    engine.stop().await;
}

#[tokio::test]
async fn a_later_sign_in_needs_neither_discovery_nor_registration() {
    let (place, demo) = (Place::new(), demo().await);
    let engine = signed_in(&place, &demo).await;
    engine.sign_out(&id()).await.unwrap();
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    let requests = ledger(&demo);
    let asked = |path: &str| requests.iter().filter(|request| request.contains(path)).count();
    assert_eq!((asked(".well-known"), asked("/register")), (0, 0), "{requests:?}");
    engine.stop().await;
}

#[tokio::test]
async fn kept_metadata_that_is_broken_is_moved_aside() {
    let (place, demo) = (Place::new(), demo().await);
    signed_in(&place, &demo).await.stop().await;
    std::fs::write(place.path("state/kept.json"), "{ not json").unwrap();
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
    let aside = std::fs::read_to_string(place.path("state/kept.json.broken")).unwrap();
    assert_eq!(aside, "{ not json");
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_kept_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let (place, demo) = (Place::new(), demo().await);
    let engine = signed_in(&place, &demo).await;
    let mode = |name: &str| std::fs::metadata(place.path(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("runtime"), 0o700);
    assert_eq!(mode("runtime/engine.lock"), 0o600);
    engine.stop().await;
    assert_eq!(mode("state"), 0o700);
    assert_eq!(mode("state/kept.json"), 0o600);
    let kept = std::fs::read_to_string(place.path("state/kept.json")).unwrap();
    assert!(!kept.contains("token\":"), "{kept}");
}

#[tokio::test]
async fn a_sign_in_of_another_address_is_never_sent() {
    let (place, one, other) = (Place::new(), demo().await, demo().await);
    signed_in(&place, &one).await.stop().await;
    place.know(&other);
    let engine = place.start().await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    assert!(view.last_error.unwrap().message.contains("another service"));
    engine.stop().await;
    place.know(&one);
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_sign_in_of_another_client_id_is_never_sent() {
    let (place, demo) = (Place::new(), demo().await);
    signed_in(&place, &demo).await.stop().await;
    let url = demo.url();
    place.write_config(&format!(
        r#"{{ "mcpServers": {{ "demo": {{ "type": "http", "url": "{url}", "oauth": {{ "clientId": "ours" }} }} }} }}"#
    ));
    demo.forget_requests();
    let engine = place.start().await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert!(view.last_error.unwrap().message.contains("does not use it"));
    engine.stop().await;
    assert_eq!(ledger(&demo), ["POST /mcp 401"]);
    place.know(&demo);
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

/// What was learned of a server may change between two runs, by the server's will or by somebody who writes into the
/// file: the sign-in goes nowhere else.
#[tokio::test]
async fn a_kept_sign_in_goes_to_no_other_authorization_server() {
    let (place, demo, canary) = (Place::new(), demo().await, demo().await);
    signed_in(&place, &demo).await.stop().await;
    place.clock.advance(Duration::from_secs(30 * 24 * 3600));
    let file = place.path("state/kept.json");
    let kept = std::fs::read_to_string(&file).unwrap();
    let (own, other) =
        (demo.url().origin().ascii_serialization(), canary.url().origin().ascii_serialization());
    let places: Vec<_> = kept.match_indices(&own).map(|(place, _)| place).collect();
    let mut not_used = Vec::new();
    for at in places {
        let mut changed = kept.clone();
        changed.replace_range(at..at + own.len(), &other);
        std::fs::write(&file, &changed).unwrap();
        let engine = place.start().await;
        let settled = |view: &ServerView| !matches!(view.status, Status::Connecting);
        let view = until(&engine, &id(), settled).await;
        engine.stop().await;
        assert_eq!(ledger(&canary), [""; 0], "{changed}");
        if view.last_error.is_some_and(|error| error.message.contains("does not use it")) {
            let line = kept[..at].lines().last().unwrap();
            not_used.push(line.trim().trim_end_matches(": \"").to_owned());
        }
    }
    assert_eq!(not_used, ["\"resource\"", "\"issuer\"", "\"token_endpoint\""], "{kept}");
}

#[tokio::test]
async fn a_broken_secret_store_is_no_lost_sign_in() {
    let (place, demo) = (Place::new(), demo().await);
    signed_in(&place, &demo).await.stop().await;
    let kept = std::fs::read(place.path("secrets")).unwrap();
    std::fs::write(place.path("secrets"), "not secrets").unwrap();
    let engine = place.start().await;
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    let Status::Failed { error } = view.status else { panic!("failed") };
    assert_eq!(error.code, Code::KeychainUnavailable);
    let SecretStoreView::File { error, .. } = engine.snapshot().secret_store else { panic!("a file") };
    assert_eq!(error.unwrap().code, Code::KeychainUnavailable);
    engine.retry_secret_store().await.unwrap_err();

    std::fs::write(place.path("secrets"), kept).unwrap();
    engine.retry_secret_store().await.unwrap();
    until(&engine, &id(), is_connected).await;
    let SecretStoreView::File { error: None, .. } = engine.snapshot().secret_store else {
        panic!("it works")
    };
    engine.stop().await;
}

#[tokio::test]
async fn only_one_engine_runs() {
    let place = Place::new();
    let engine = place.start().await;
    match Engine::start(place.options()).await {
        Err(usher_engine::StartError::Held { pid, .. }) => assert_eq!(pid, Some(std::process::id())),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("a second one"),
    }
    engine.stop().await;
    place.start().await.stop().await;
}

#[tokio::test]
async fn a_memory_store_forgets_with_the_engine() {
    let (place, demo) = (Place::new(), demo().await);
    place.know(&demo);
    let mut options = place.options();
    options.secret_store = StoreKind::Memory;
    let engine = Engine::start(options.clone()).await.unwrap();
    sign_in(&engine, &id()).await.unwrap();
    engine.stop().await;
    let engine = Engine::start(options).await.unwrap();
    until(&engine, &id(), needs_sign_in).await;
    engine.stop().await;
}
