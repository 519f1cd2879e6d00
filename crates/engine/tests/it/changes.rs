//! Lists that change at the server, in both eras, and the loss of a server that nobody calls.

use std::time::Duration;

use usher_api::{Code, Event, ServerView, Status};
use usher_demo::{Demo, DemoOptions, Eras, McpList};
use usher_engine::Engine;

use crate::fixture::*;

const ERAS: [Eras; 2] = [Eras::All, Eras::HandshakeOnly];

async fn demo_of(eras: Eras) -> Demo {
    Demo::start(DemoOptions { eras, ..DemoOptions::default() }).await.unwrap()
}

fn tool_count(engine: &Engine) -> u32 {
    match engine.server(&id()).unwrap().status {
        Status::Connected { tool_count, .. } => tool_count,
        status => panic!("{status:?}"),
    }
}

/// Announces until it is heard: the stream may have begun only now.
async fn announcing<T>(demo: &Demo, list: McpList, heard: impl Future<Output = T>) -> T {
    let mut heard = std::pin::pin!(heard);
    loop {
        demo.announce(list);
        tokio::select! {
            heard = &mut heard => return heard,
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

async fn until_told(engine: &Engine, is_it: impl Fn(&Event) -> bool) {
    let mut events = engine.subscribe();
    let told = async { while !is_it(&events.recv().await.unwrap()) {} };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
}

#[tokio::test]
async fn lists_stay_fresh_in_both_eras() {
    for eras in ERAS {
        let (place, demo) = (Place::new(), demo_of(eras).await);
        let engine = signed_in(&place, &demo).await;
        let before = tool_count(&engine);
        until_listening(&demo, eras).await;
        let mut story = Story::of(&engine);
        demo.hide_tool("failing_task", true);
        let fewer = |view: &ServerView| matches!(view.status, Status::Connected { tool_count, .. } if tool_count == before - 1);
        announcing(&demo, McpList::Tools, until(&engine, &id(), fewer)).await;
        assert!(story.told().contains(&"demo tools changed".to_owned()), "{eras:?}");
        let tools = engine.tools(&id()).await.unwrap();
        assert!(tools.iter().all(|tool| tool.name != "failing_task"));

        let resources = until_told(&engine, |event| matches!(event, Event::ResourcesChanged { .. }));
        announcing(&demo, McpList::Resources, resources).await;
        let prompts = until_told(&engine, |event| matches!(event, Event::PromptsChanged { .. }));
        announcing(&demo, McpList::Prompts, prompts).await;
        engine.stop().await;
    }
}

#[tokio::test]
async fn the_loss_of_an_idle_server_is_noticed() {
    for eras in ERAS {
        let key = Some([9; 32]);
        let options = || DemoOptions { eras, signing_key: key, ..DemoOptions::default() };
        let (place, demo) = (Place::new(), Demo::start(options()).await.unwrap());
        let engine = signed_in(&place, &demo).await;
        until_listening(&demo, eras).await;
        let port = demo.port();
        demo.stop().await;
        let view = until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { .. })).await;
        assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable, "{eras:?}: nobody called");
        let demo = Demo::start(DemoOptions { port: Some(port), ..options() }).await.unwrap();
        until(&engine, &id(), is_connected).await;
        engine.stop().await;
        demo.stop().await;
    }
}

#[tokio::test]
async fn a_list_from_a_cache_is_no_proof_of_a_sign_in() {
    let place = Place::new();
    let life = Some(Duration::from_secs(3600));
    let demo = Demo::start(DemoOptions { tool_list_ttl: life, ..DemoOptions::default() }).await.unwrap();
    let engine = signed_in(&place, &demo).await;
    engine.tools(&id()).await.unwrap();
    demo.revoke_everything();
    let call = usher_engine::CallOptions::new("call");
    let error = engine.call_tool(&id(), "search_pages", Default::default(), call).await.unwrap_err();
    assert_eq!(error.code, Code::SignInRequired);
    assert_eq!(engine.tools(&id()).await.unwrap_err().code, Code::SignInRequired, "no old list hides it");
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    assert_eq!(
        ledger(&demo).last().map(String::as_str),
        Some("POST /mcp tools/list 200"),
        "asked the server itself"
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_server_that_came_back_without_knowing_us_asks_for_a_sign_in_though_nobody_calls() {
    for eras in ERAS {
        let (place, demo) = (Place::new(), demo_of(eras).await);
        let engine = signed_in(&place, &demo).await;
        until_listening(&demo, eras).await;
        let port = demo.port();
        demo.stop().await;
        let demo =
            Demo::start(DemoOptions { port: Some(port), eras, ..DemoOptions::default() }).await.unwrap();
        until(&engine, &id(), needs_sign_in).await;
        engine.stop().await;
        demo.stop().await;
    }
}
