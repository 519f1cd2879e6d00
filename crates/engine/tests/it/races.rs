//! What happens while a token is on its way.

use usher_api::{Code, Status};
use usher_secrets::{SecretStore, StoreKind};

use crate::fixture::*;
use crate::gated_service::{Service, answer_of_the_browser, engine_at};

#[tokio::test]
async fn a_sign_out_in_mid_renewal_stays_a_sign_out() {
    let (place, service) = (Place::new(), Service::start().await);
    let store = SecretStore::open(StoreKind::File(place.path("secrets")));
    store.put_grant("demo", &service.expired_grant()).await.unwrap();
    let (engine, store) = engine_at(&place, &service).await;
    service.until_asked().await;
    let server = id();
    let (outcome, ()) = tokio::join!(engine.sign_out(&server), async { service.answer() });
    outcome.unwrap();
    assert!(store.grant("demo").await.unwrap().is_none());
    service.until_revoked().await;
    assert!(service.revoked.lock().unwrap()[0].contains("rotated"), "the newest one is revoked");
    engine.stop().await;
    assert!(store.grant("demo").await.unwrap().is_none());
}

#[tokio::test]
async fn a_cancel_in_mid_exchange_keeps_nothing() {
    let (place, service) = (Place::new(), Service::start().await);
    let (engine, store) = engine_at(&place, &service).await;
    let callback = answer_of_the_browser(&engine).await;
    let cancelled = async {
        service.until_asked().await;
        engine.cancel_sign_in(&id()).await;
        service.answer();
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), cancelled);
    assert_eq!(outcome.unwrap_err().code, Code::AuthorizationDenied);
    service.until_revoked().await;
    assert!(needs_sign_in(&engine.server(&id()).unwrap()));
    engine.stop().await;
    assert!(store.grant("demo").await.unwrap().is_none());
}

#[tokio::test]
async fn what_a_code_brings_is_kept_when_the_engine_ends() {
    let (place, service) = (Place::new(), Service::start().await);
    let (engine, store) = engine_at(&place, &service).await;
    let callback = answer_of_the_browser(&engine).await;
    let ended = async {
        service.until_asked().await;
        tokio::join!(engine.stop(), async { service.answer() });
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), ended);
    outcome.unwrap_err();
    assert!(store.grant("demo").await.unwrap().is_some());
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn a_changed_entry_makes_no_second_renewal() {
    let (place, service) = (Place::new(), Service::start().await);
    let store = SecretStore::open(StoreKind::File(place.path("secrets")));
    store.put_grant("demo", &service.expired_grant()).await.unwrap();
    let (engine, _) = engine_at(&place, &service).await;
    service.until_asked().await;
    engine.disable(&id()).await.unwrap();
    engine.enable(&id()).await.unwrap();
    service.answer();
    until(&engine, &id(), is_connected).await;
    assert!(service.is_asked_no_more(), "the renewal of the entry before was taken over");
    engine.stop().await;
}

#[tokio::test]
async fn a_disconnect_is_not_undone_by_what_was_under_way() {
    let (place, service) = (Place::new(), Service::start().await);
    let (engine, _) = engine_at(&place, &service).await;
    let callback = answer_of_the_browser(&engine).await;
    let disconnected = async {
        service.until_asked().await;
        engine.disconnect(&id()).await.unwrap();
        service.answer();
    };
    let (outcome, ()) = tokio::join!(engine.complete_sign_in(&callback), disconnected);
    outcome.unwrap_err();
    service.until_revoked().await;
    assert_eq!(engine.server(&id()).unwrap().status, Status::Disabled);
    engine.stop().await;
}
