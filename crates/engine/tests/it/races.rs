//! Actions of the person while a token request is running.

use usher_api::{Code, Status};
use usher_fake_service::Options;

use crate::fixture::*;
use crate::granted_service::{GrantedService, held_service};

#[tokio::test]
async fn a_sign_out_during_a_refresh_stays_signed_out() {
    let (sandbox, service, store) = held_service(Options::default()).await;
    let engine = sandbox.start().await;
    service.until_requests("POST /token", 1).await;
    let server = id();
    let (outcome, ()) = tokio::join!(engine.sign_out(&server), async { service.release_token_reply() });
    outcome.unwrap();
    assert!(store.grant("demo").await.unwrap().is_none());
    service.until_requests("POST /revoke", 1).await;
    let revoked = service.requests_to("POST /revoke").remove(0).form();
    assert_eq!(service.number_of(&revoked["token"]), 1, "the newest token is revoked");
    engine.stop().await;
    assert!(store.grant("demo").await.unwrap().is_none());
}

#[tokio::test]
async fn a_cancel_during_the_exchange_stores_nothing() {
    let (sandbox, service) = (Sandbox::new(), GrantedService::start_held(Options::default()).await);
    let store = service.configure(&sandbox);
    let engine = sandbox.start().await;
    let callback = service.begin_sign_in(&engine).await;
    let cancelled = async {
        service.until_requests("POST /token", 1).await;
        engine.cancel_sign_in(&id()).await;
        service.release_token_reply();
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), cancelled);
    assert_eq!(outcome.unwrap_err().code, Code::AuthorizationDenied);
    service.until_requests("POST /revoke", 1).await;
    assert!(needs_sign_in(&engine.server(&id()).unwrap()));
    engine.stop().await;
    assert!(store.grant("demo").await.unwrap().is_none());
}

#[tokio::test]
async fn an_exchanged_grant_is_stored_when_the_engine_stops() {
    let (sandbox, service) = (Sandbox::new(), GrantedService::start_held(Options::default()).await);
    let store = service.configure(&sandbox);
    let engine = sandbox.start().await;
    let callback = service.begin_sign_in(&engine).await;
    let stopped = async {
        service.until_requests("POST /token", 1).await;
        tokio::join!(engine.stop(), async { service.release_token_reply() });
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), stopped);
    outcome.unwrap_err();
    assert!(store.grant("demo").await.unwrap().is_some());
    sandbox.start_connected().await;
}

#[tokio::test]
async fn a_changed_entry_starts_no_second_refresh() {
    let (sandbox, service, _store) = held_service(Options::default()).await;
    let engine = sandbox.start().await;
    service.until_requests("POST /token", 1).await;
    engine.disable(&id()).await.unwrap();
    engine.enable(&id()).await.unwrap();
    service.release_token_reply();
    until(&engine, &id(), is_connected).await;
    assert_eq!(service.requests_to("POST /token").len(), 1, "the new entry uses the refresh of the old one");
}

#[tokio::test]
async fn a_running_exchange_does_not_undo_a_disconnect() {
    let (sandbox, service) = (Sandbox::new(), GrantedService::start_held(Options::default()).await);
    service.configure(&sandbox);
    let engine = sandbox.start().await;
    let callback = service.begin_sign_in(&engine).await;
    let disconnected = async {
        service.until_requests("POST /token", 1).await;
        engine.disconnect(&id()).await.unwrap();
        service.release_token_reply();
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), disconnected);
    outcome.unwrap_err();
    service.until_requests("POST /revoke", 1).await;
    assert_eq!(engine.server(&id()).unwrap().status, Status::Disabled);
}
