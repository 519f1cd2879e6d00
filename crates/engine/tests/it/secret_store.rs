//! A secret store that breaks and works again under an engine that runs.

use usher_api::{ServerId, ServerView, Status};

use crate::fixture::*;

#[tokio::test]
async fn whoever_finds_the_store_well_again_all_who_gave_up_for_it_go_on() {
    let (place, demo) = (Place::new(), demo().await);
    let (one, other) = (ServerId("one".to_owned()), ServerId("other".to_owned()));
    let url = demo.url().as_str();
    place.write_config(&config(&[("one", url), ("other", url)]));
    let engine = place.start().await;
    sign_in(&engine, &one).await.unwrap();
    sign_in(&engine, &other).await.unwrap();

    let kept = std::fs::read(place.path("secrets")).unwrap();
    std::fs::write(place.path("secrets"), "not secrets").unwrap();
    let has_failed = |view: &ServerView| matches!(view.status, Status::Failed { .. });
    for id in [&one, &other] {
        engine.connect(id).await.unwrap();
        until(&engine, id, has_failed).await;
    }
    std::fs::write(place.path("secrets"), kept).unwrap();
    // The person presses the button of one of them.
    engine.connect(&one).await.unwrap();
    until(&engine, &one, is_connected).await;
    until(&engine, &other, is_connected).await;
    assert_eq!(engine.snapshot().secret_store.error(), None);
    engine.stop().await;
}

#[tokio::test]
async fn a_store_that_is_well_again_is_found_so_though_nobody_tells() {
    let (place, demo) = (Place::new(), demo().await);
    let engine = signed_in(&place, &demo).await;
    let kept = std::fs::read(place.path("secrets")).unwrap();
    std::fs::write(place.path("secrets"), "not secrets").unwrap();
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    std::fs::write(place.path("secrets"), kept).unwrap();
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}
