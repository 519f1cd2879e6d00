//! Lists that change on the server, and the loss of an idle server, with both protocol versions.

use std::time::Duration;

use usher_api::{Code, Event, ServerView, Status};
use usher_demo::{Demo, DemoOptions, Eras, McpList};
use usher_engine::Engine;

use crate::fixture::*;

const ERAS: [Eras; 2] = [Eras::All, Eras::HandshakeOnly];

fn options(eras: Eras) -> DemoOptions {
    DemoOptions { eras, ..DemoOptions::default() }
}

fn tool_count(engine: &Engine) -> u32 {
    match engine.server(&id()).unwrap().status {
        Status::Connected { tool_count, .. } => tool_count,
        status => panic!("{status:?}"),
    }
}

/// Announces a change repeatedly until `noticed` is ready, because the stream may start late.
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

#[tokio::test]
async fn lists_stay_current_with_both_protocols() {
    for eras in ERAS {
        let (_sandbox, demo, engine) = signed_in(options(eras)).await;
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
        let options = DemoOptions { signing_key: Some([9; 32]), ..options(eras) };
        let (_sandbox, demo, engine) = signed_in(options.clone()).await;
        until_listening(&demo, eras).await;
        let port = Some(demo.port());
        demo.stop().await;
        let view = until(&engine, &id(), is_reconnecting).await;
        assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable, "{eras:?}");
        let demo = demo_with(DemoOptions { port, ..options }).await;
        until(&engine, &id(), is_connected).await;
        engine.stop().await;
        demo.stop().await;
    }
}

#[tokio::test]
async fn a_cached_list_does_not_prove_a_sign_in() {
    let tool_list_ttl = Some(Duration::from_secs(3600));
    let (_sandbox, demo, engine) = signed_in(DemoOptions { tool_list_ttl, ..DemoOptions::default() }).await;
    engine.tools(&id()).await.unwrap();
    demo.revoke_everything();
    assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
    assert_eq!(engine.tools(&id()).await.unwrap_err().code, Code::SignInRequired, "no list from the cache");
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    let last = requests(&demo).pop();
    assert_eq!(last.as_deref(), Some("POST /mcp tools/list 200"), "the list came from the server");
}

#[tokio::test]
async fn a_restarted_server_that_lost_the_grant_needs_a_sign_in_without_a_call() {
    for eras in ERAS {
        let (_sandbox, demo, engine) = signed_in(options(eras)).await;
        until_listening(&demo, eras).await;
        let port = Some(demo.port());
        demo.stop().await;
        let demo = demo_with(DemoOptions { port, ..options(eras) }).await;
        until(&engine, &id(), needs_sign_in).await;
        engine.stop().await;
        demo.stop().await;
    }
}
