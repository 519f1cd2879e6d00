//! Lists that change at the server, and the loss of an idle server, with both protocol versions.

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

/// Announces a change until `noticed` is ready, because the stream may start late.
async fn announce_until<T>(demo: &Demo, list: McpList, noticed: impl Future<Output = T>) -> T {
    let mut noticed = std::pin::pin!(noticed);
    loop {
        demo.announce(list);
        tokio::select! {
            output = &mut noticed => return output,
            () = tokio::time::sleep(Duration::from_secs(2)) => {}
        }
    }
}

async fn until_event(engine: &Engine, is_wanted: impl Fn(&Event) -> bool) {
    let mut events = engine.subscribe();
    let wait = async { while !is_wanted(&events.recv().await.unwrap()) {} };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap();
}

#[tokio::test]
async fn lists_stay_current_with_both_protocols() {
    for eras in ERAS {
        let (sandbox, demo) = (Sandbox::new(), demo_of(eras).await);
        let engine = signed_in(&sandbox, &demo).await;
        let before = tool_count(&engine);
        until_listening(&demo, eras).await;
        let mut log = EventLog::start(&engine);
        demo.hide_tool("failing_task", true);
        let fewer = |view: &ServerView| matches!(view.status, Status::Connected { tool_count, .. } if tool_count == before - 1);
        announce_until(&demo, McpList::Tools, until(&engine, &id(), fewer)).await;
        assert!(log.lines().contains(&"demo tools changed".to_owned()), "{eras:?}");
        let tools = engine.tools(&id()).await.unwrap();
        assert!(tools.iter().all(|tool| tool.name != "failing_task"));

        let resources = until_event(&engine, |event| matches!(event, Event::ResourcesChanged { .. }));
        announce_until(&demo, McpList::Resources, resources).await;
        let prompts = until_event(&engine, |event| matches!(event, Event::PromptsChanged { .. }));
        announce_until(&demo, McpList::Prompts, prompts).await;
        engine.stop().await;
    }
}

#[tokio::test]
async fn the_loss_of_an_idle_server_is_noticed() {
    for eras in ERAS {
        let key = Some([9; 32]);
        let options = || DemoOptions { eras, signing_key: key, ..DemoOptions::default() };
        let (sandbox, demo) = (Sandbox::new(), Demo::start(options()).await.unwrap());
        let engine = signed_in(&sandbox, &demo).await;
        until_listening(&demo, eras).await;
        let port = demo.port();
        demo.stop().await;
        let view = until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { .. })).await;
        assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable, "{eras:?}");
        let demo = Demo::start(DemoOptions { port: Some(port), ..options() }).await.unwrap();
        until(&engine, &id(), is_connected).await;
        engine.stop().await;
        demo.stop().await;
    }
}

#[tokio::test]
async fn a_cached_list_does_not_prove_a_sign_in() {
    let sandbox = Sandbox::new();
    let life = Some(Duration::from_secs(3600));
    let demo = Demo::start(DemoOptions { tool_list_ttl: life, ..DemoOptions::default() }).await.unwrap();
    let engine = signed_in(&sandbox, &demo).await;
    engine.tools(&id()).await.unwrap();
    demo.revoke_everything();
    let call = usher_engine::CallOptions::new("call");
    let error = engine.call_tool(&id(), "search_pages", Default::default(), call).await.unwrap_err();
    assert_eq!(error.code, Code::SignInRequired);
    assert_eq!(engine.tools(&id()).await.unwrap_err().code, Code::SignInRequired, "no cached list hides it");
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    assert_eq!(
        requests(&demo).last().map(String::as_str),
        Some("POST /mcp tools/list 200"),
        "the list came from the server"
    );
    engine.stop().await;
}

#[tokio::test]
async fn a_restarted_server_that_lost_the_grant_needs_a_sign_in_without_a_call() {
    for eras in ERAS {
        let (sandbox, demo) = (Sandbox::new(), demo_of(eras).await);
        let engine = signed_in(&sandbox, &demo).await;
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
