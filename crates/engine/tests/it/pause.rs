//! Pause and resume of all servers.

use usher_api::{Code, ServerId, Status};
use usher_engine::{CallOptions, SignInOptions};

use crate::fixture::*;

#[tokio::test]
async fn a_pause_disconnects_everything_and_a_resume_restores_it() {
    let (sandbox, demo) = signed_in_before().await;
    sandbox.write_config(&format!(
        r#"{{ "mcpServers": {{
            "demo": {{ "type": "http", "url": "{url}" }},
            "other": {{ "type": "http", "url": "{url}" }},
            "off": {{ "type": "http", "url": "{url}", "disabled": true }} }} }}"#,
        url = demo.url()
    ));
    let engine = sandbox.start().await;
    let (other, off) = (ServerId("other".to_owned()), ServerId("off".to_owned()));
    until(&engine, &id(), is_connected).await;
    until(&engine, &other, needs_sign_in).await;
    engine.sign_in(&other, SignInOptions::default()).await.unwrap();
    let caller = engine.clone();
    let arguments = serde_json::from_str(r#"{ "steps": 100, "millis": 100 }"#).unwrap();
    let call = tokio::spawn(async move {
        caller.call_tool(&id(), "slow_task", arguments, CallOptions::new("slow")).await
    });
    until_true(|| demo.running_tasks() > 0).await;

    engine.pause_all().await;
    let snapshot = engine.snapshot();
    assert!(snapshot.paused);
    let states: Vec<_> = snapshot.servers.into_iter().map(|server| server.status).collect();
    assert_eq!(states, [Status::Paused, Status::Paused, Status::Disabled]);
    assert_eq!(call.await.unwrap().unwrap_err().code, Code::ServerUnreachable);
    assert_eq!(engine.authorization_request(&other), None, "a pause ends the sign-in");

    demo.forget_requests();
    engine.connect(&id()).await.unwrap();
    engine.reconnect_all();
    let error = engine.sign_in(&id(), SignInOptions::default()).await.unwrap_err();
    assert_eq!(error.code, Code::ServerUnreachable);
    assert_eq!(engine.tools(&id()).await.unwrap_err().code, Code::ServerUnreachable);
    engine.disable(&other).await.unwrap();
    engine.enable(&other).await.unwrap();
    assert_eq!(engine.server(&other).unwrap().status, Status::Paused, "an enabled server stays paused");
    assert_eq!(requests(&demo), Vec::<String>::new(), "a paused engine sends no requests");

    let mut log = EventLog::start(&engine);
    engine.resume_all().await;
    assert!(!engine.snapshot().paused);
    until(&engine, &id(), is_connected).await;
    until(&engine, &other, needs_sign_in).await;
    assert_eq!(engine.server(&off).unwrap().status, Status::Disabled);
    let events = log.lines();
    assert_eq!(events.first().map(String::as_str), Some("resumed"), "{events:?}");
    assert!(!engine.tools(&id()).await.unwrap().is_empty());
}
