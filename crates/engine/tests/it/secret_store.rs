//! A secret store that breaks and works again while the engine is running.

use usher_api::ServerId;

use crate::fixture::*;

#[tokio::test]
async fn when_one_server_finds_the_store_working_again_all_servers_retry() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let (one, other) = (ServerId("one".to_owned()), ServerId("other".to_owned()));
    let url = demo.url().as_str();
    sandbox.write_config(&config(&[("one", url), ("other", url)]));
    let engine = sandbox.start().await;
    sign_in(&engine, &one).await.unwrap();
    sign_in(&engine, &other).await.unwrap();

    let kept = std::fs::read(sandbox.path("secrets")).unwrap();
    std::fs::write(sandbox.path("secrets"), "not secrets").unwrap();
    for id in [&one, &other] {
        engine.connect(id).await.unwrap();
        until(&engine, id, has_failed).await;
    }
    std::fs::write(sandbox.path("secrets"), kept).unwrap();
    // The person retries one of the servers.
    engine.connect(&one).await.unwrap();
    until(&engine, &one, is_connected).await;
    until(&engine, &other, is_connected).await;
    assert_eq!(engine.snapshot().secret_store.error(), None);
}

#[tokio::test]
async fn a_store_that_works_again_is_noticed_without_a_caller() {
    let (sandbox, _demo, engine) = signed_in(Default::default()).await;
    let kept = std::fs::read(sandbox.path("secrets")).unwrap();
    std::fs::write(sandbox.path("secrets"), "not secrets").unwrap();
    engine.connect(&id()).await.unwrap();
    until(&engine, &id(), has_failed).await;
    std::fs::write(sandbox.path("secrets"), kept).unwrap();
    until(&engine, &id(), is_connected).await;
}
