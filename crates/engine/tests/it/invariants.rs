//! The storage of secrets, and the use of rotated tokens.

use usher_api::Code;
use usher_fake_service::{Moment, Options};
use usher_secrets::SecretStore;

use crate::fixture::*;
use crate::granted_service::GrantedService;

/// A service that damages the engine's secret store when a refresh arrives. The bytes are the contents of the intact
/// store.
async fn damaging_service(sandbox: &Sandbox) -> (GrantedService, SecretStore, Vec<u8>) {
    let service = GrantedService::start(Options::default()).await;
    let store = service.store_grant(sandbox).await;
    let secrets = sandbox.path("secrets");
    let intact = std::fs::read(&secrets).unwrap();
    let damage = move || std::fs::write(&secrets, "not secrets").unwrap();
    service.set_breakpoint(service.family(), Moment::Arrived, Box::new(damage));
    (service, store, intact)
}

#[tokio::test]
async fn a_new_token_is_not_used_before_it_is_stored() {
    let sandbox = Sandbox::new();
    let (service, store, intact) = damaging_service(&sandbox).await;
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(view.last_error.unwrap().code, Code::KeychainUnavailable);
    assert!(service.requests_to("POST /mcp").is_empty(), "a token was used before the new one was stored");

    std::fs::write(sandbox.path("secrets"), intact).unwrap();
    engine.retry_secret_store().await.unwrap();
    until(&engine, &id(), is_connected).await;
    assert_eq!(
        service.requests_to("POST /token").len(),
        1,
        "the rotated token was stored without another refresh"
    );
    assert_eq!(service.stored_rotation(&store).await, Some(1));
}

#[tokio::test]
async fn a_new_token_that_could_not_be_stored_is_not_lost_on_quit() {
    let sandbox = Sandbox::new();
    let (service, store, intact) = damaging_service(&sandbox).await;
    let engine = sandbox.start().await;
    until(&engine, &id(), has_failed).await;
    // The engine gets no notice that the store works again, and does not retry at once.
    std::fs::write(sandbox.path("secrets"), intact).unwrap();
    engine.stop().await;
    assert_eq!(service.stored_rotation(&store).await, Some(1));
}
