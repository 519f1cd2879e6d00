//! A renewal that was cut off between sending and storing: the next start knows it, and tries once with the old token.

use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use tokio::runtime::Runtime;
use usher_api::{NeedsSignIn, Status};
use usher_engine::Engine;
use usher_secrets::{SecretStore, StoredGrant};

use crate::fixture::*;
use crate::gated_service::Service;

/// An engine on threads of its own, so that it can be cut off like a process that is killed.
struct Doomed {
    engine: Engine,
    runtime: Runtime,
}

impl Doomed {
    async fn start(place: &Place) -> Self {
        let runtime = Runtime::new().unwrap();
        let options = place.options();
        let engine = runtime.spawn(Engine::start(options)).await.unwrap().unwrap();
        Self { engine, runtime }
    }

    /// Nothing of it runs any more when this returns, its lock is free, and the service knows that nobody waits.
    async fn crash(self, service: &Service) {
        let Self { engine, runtime } = self;
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(PATIENCE)).await.unwrap();
        drop(engine);
        service.until_left().await;
    }
}

fn notes(place: &Place) -> usize {
    std::fs::read_dir(place.path("state/renewals")).map_or(0, Iterator::count)
}

async fn kept_token(store: &SecretStore) -> Option<String> {
    let grant: Option<StoredGrant> = store.grant("demo").await.unwrap();
    Some(grant?.refresh_token?.expose_secret().to_owned())
}

#[tokio::test]
async fn where_the_old_token_is_taken_for_a_moment_nothing_is_lost() {
    let (place, service) = (Place::new(), Service::start().await);
    service.take_the_one_before();
    let store = service.known_to(&place).await;
    // Twice, for the second try can be cut off as well.
    for _ in 0..2 {
        let doomed = Doomed::start(&place).await;
        service.until_asked().await;
        assert_eq!(notes(&place), 1, "noted before it was sent");
        doomed.crash(&service).await;
        assert_eq!(kept_token(&store).await.as_deref(), Some("first"));
    }
    service.answer();
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(service.sent(), ["first", "first", "first"]);
    assert_eq!(kept_token(&store).await.as_deref(), Some("rotated-1"));
    assert_eq!(notes(&place), 0);
    engine.stop().await;
}

#[tokio::test]
async fn where_it_is_spent_the_person_is_told_why_and_it_is_not_sent_again() {
    let (place, service) = (Place::new(), Service::start().await);
    let store = service.known_to(&place).await;
    let doomed = Doomed::start(&place).await;
    service.until_asked().await;
    doomed.crash(&service).await;

    service.answer();
    let engine = place.start().await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::RefreshInterrupted });
    assert!(view.last_error.unwrap().message.contains("was interrupted"));
    engine.stop().await;
    assert_eq!((kept_token(&store).await, notes(&place)), (None, 0));

    let engine = place.start().await;
    until(&engine, &id(), needs_sign_in).await;
    engine.stop().await;
    assert_eq!(service.sent(), ["first", "first"]);
}

#[tokio::test]
async fn a_token_that_looks_good_is_not_used_before_the_renewal_is_settled() {
    let (place, service) = (Place::new(), Service::start().await);
    service.take_the_one_before();
    let store = service.known_to(&place).await;
    // By its dates it is good for years; the server refuses it, so it is renewed.
    let grant =
        StoredGrant { expires_at: Some("2100-01-01T00:00:00Z".parse().unwrap()), ..service.expired_grant() };
    store.put_grant("demo", &grant).await.unwrap();
    let doomed = Doomed::start(&place).await;
    service.until_asked().await;
    doomed.crash(&service).await;
    let refused = service.refused();
    service.answer();
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!((service.sent().len(), service.refused()), (2, refused), "the old one was not tried again");
    engine.stop().await;
}

#[tokio::test]
async fn a_quit_does_not_wait_for_a_slow_answer_and_loses_no_more_than_a_crash() {
    let (place, service) = (Place::new(), Service::start().await);
    service.take_the_one_before();
    let store = service.known_to(&place).await;
    let doomed = Doomed::start(&place).await;
    service.until_asked().await;
    tokio::time::timeout(Duration::from_secs(3), doomed.engine.stop()).await.expect("it quits");
    doomed.crash(&service).await;
    assert_eq!(notes(&place), 1);
    service.answer();
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(kept_token(&store).await.as_deref(), Some("rotated-1"));
    engine.stop().await;
}

#[tokio::test]
async fn a_refused_token_type_costs_the_access_token_alone() {
    let (place, service) = (Place::new(), Service::start().await);
    service.issue_tokens_of_type("DPoP");
    let store = service.known_to(&place).await;
    let engine = place.start().await;
    service.until_asked().await;
    service.answer();
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { .. })).await;
    assert!(view.last_error.unwrap().message.contains("DPoP"));
    assert_eq!(kept_token(&store).await.as_deref(), Some("rotated-1"));
    // Its operator corrects it, and nobody has to sign in.
    service.issue_tokens_of_type("Bearer");
    service.answer();
    until(&engine, &id(), is_connected).await;
    assert_eq!(service.sent(), ["first", "rotated-1"]);
    engine.stop().await;
}

#[tokio::test]
async fn a_token_type_that_stays_refused_is_asked_for_less_and_less() {
    let (place, service) = (Place::new(), Service::start().await);
    service.issue_tokens_of_type("DPoP");
    let _store = service.known_to(&place).await;
    let engine = place.start().await;
    service.until_asked().await;
    let first = Instant::now();
    for _ in 0..3 {
        service.answer();
        service.until_asked().await;
    }
    // Waits of one, two and four seconds, each up to a quarter shorter.
    assert!(first.elapsed() > Duration::from_secs(5), "four times in {:?}", first.elapsed());
    engine.stop().await;
}

#[tokio::test]
async fn a_registered_client_without_its_secret_is_registered_anew() {
    let (place, service) = (Place::new(), Service::start().await);
    let store = service.known_to(&place).await;
    let grant = StoredGrant { auth_method: "client_secret_post".to_owned(), ..service.expired_grant() };
    store.put_grant("demo", &grant).await.unwrap();
    let engine = place.start().await;
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::RegistrationLost });
    assert_eq!(service.sent(), [""; 0]);
    assert_eq!(kept_token(&store).await.as_deref(), Some("first"), "nobody ended the sign-in");
    engine.stop().await;
}
