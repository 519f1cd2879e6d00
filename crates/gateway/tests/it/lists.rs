//! Lists: joined names, the definitions on disk, and announcements of changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use usher_fake_service::{FakeService, Options, result};
use usher_gateway::Gateway;

use crate::fixture::{Client, Sandbox, id, is_connected, until};

#[tokio::test]
async fn a_group_joins_the_tools_of_its_servers_and_calls_the_right_one() {
    let (one, two) = (
        FakeService::start(Options::open_handshake()).await.unwrap(),
        FakeService::start(Options::open_handshake()).await.unwrap(),
    );
    let servers = [("One", one.url()), ("two", two.url()), ("other", one.url())];
    let servers: Vec<_> = servers.iter().map(|(name, url)| (*name, url.as_str())).collect();
    let sandbox = Sandbox::new(&servers, r#", "groups": { "work": ["two", "One"] }"#);
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "work").await;
    let joined =
        ["two__read", "two__write", "two__wait", "one__read", "one__write", "one__wait"].map(str::to_owned);
    assert_eq!(client.tools().await, joined);
    assert!(engine.server(&id("other")).is_none(), "only the servers of the group run");
    let calls = |service: &FakeService| {
        service.requests().iter().filter(|request| request.json()["method"] == "tools/call").count()
    };
    assert_eq!(client.call("two__read").await["result"]["content"][0]["text"], "done");
    assert_eq!((calls(&one), calls(&two)), (0, 1));
    assert_eq!(client.call("read").await["error"]["code"], -32602);
    let mut all = Client::connect(&gateway, &engine, "--all").await;
    assert_eq!(all.tools().await.len(), 9);
    engine.stop().await;
}

#[tokio::test]
async fn the_lists_of_an_unreachable_server_are_known_from_before() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    let sandbox = Sandbox::new(&[("notes", &service.url())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    let tools = client.tools().await;
    assert_eq!(tools, ["read", "write", "wait"]);
    drop((client, gateway));
    engine.stop().await;
    drop(service);

    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    assert_eq!(client.tools().await, tools);
    assert_eq!(client.call("read").await["result"]["isError"], true);
    engine.stop().await;
    // Another address under the same name has other tools.
    let other = FakeService::start(Options::open_handshake()).await.unwrap();
    other.intercept(|request| {
        let is_list = request.json()["method"] == "tools/list";
        is_list.then(|| result(request, json!({ "tools": [] })))
    });
    let text = std::fs::read_to_string(sandbox.path("mcp.json")).unwrap();
    let url = text.split('"').find(|part| part.starts_with("http://")).unwrap().to_owned();
    std::fs::write(sandbox.path("mcp.json"), text.replace(&url, &other.url())).unwrap();
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    assert_eq!(client.tools().await, [""; 0]);
    engine.stop().await;
}

#[tokio::test]
async fn a_changed_list_is_announced_to_the_clients_that_saw_another_one() {
    let service = FakeService::start(Options::open_handshake()).await.unwrap();
    let has_changed = Arc::new(AtomicBool::new(false));
    let changed = Arc::clone(&has_changed);
    service.intercept(move |request| {
        let is_list = request.json()["method"] == "tools/list" && changed.load(Ordering::SeqCst);
        let tool = json!({ "name": "new", "inputSchema": { "type": "object" } });
        is_list.then(|| result(request, json!({ "tools": [tool] })))
    });
    let sandbox = Sandbox::new(&[("notes", &service.url())], "");
    let engine = sandbox.start().await;
    let gateway = Gateway::start(engine.for_another());
    let mut client = Client::connect(&gateway, &engine, "notes").await;
    let mut other = Client::connect(&gateway, &engine, "notes").await;
    client.initialize().await;
    other.initialize().await;
    assert_eq!(client.tools().await.len(), 3);
    has_changed.store(true, Ordering::SeqCst);
    until(&engine, "notes", is_connected).await;
    engine.disconnect(&id("notes")).await.unwrap();
    engine.connect(&id("notes")).await.unwrap();
    assert_eq!(client.message().await["method"], "notifications/tools/list_changed");
    assert_eq!(client.tools().await, ["new"]);
    assert_eq!(other.tools().await, ["new"], "a client without a list hears of no change");
    engine.stop().await;
}
