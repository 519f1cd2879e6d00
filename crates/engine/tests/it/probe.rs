//! The question what answers at the address of an entry, before the entry is written.

use serde_json::json;
use usher_api::{Code, ProbeView};
use usher_engine::Engine;
use usher_fake_service::{FakeService, Options, Reply};

use crate::fixture::*;

async fn probe(engine: &Engine, url: &str) -> ProbeView {
    engine.probe(&json!({ "url": url }).to_string()).await.unwrap()
}

async fn scripted(reply: Reply) -> FakeService {
    let server = FakeService::scripted().await.unwrap();
    server.on_all(reply);
    server
}

#[tokio::test]
async fn each_kind_of_server_is_recognised_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    let file = r#"{ "mcpServers": {} }"#;
    sandbox.write_config(file);
    let engine = sandbox.start().await;

    let demo = demo().await;
    assert_eq!(probe(&engine, demo.url().as_str()).await, ProbeView::SignIn);
    assert!(!requests(&demo).iter().any(|request| request.contains("/register")), "{:?}", requests(&demo));

    let open = FakeService::start(Options::open_handshake()).await.unwrap();
    let ProbeView::Open { title, tools } = probe(&engine, &open.url()).await else { panic!("not open") };
    assert!(title.is_some() && tools > 0, "{title:?}, {tools} tools");

    let refusing = scripted(Reply::text(401, "")).await;
    assert_eq!(probe(&engine, &refusing.url()).await, ProbeView::Unauthorized);

    for page in [Reply::html_page(200), Reply::html_page(404)] {
        let website = scripted(page).await;
        let ProbeView::Failed { error } = probe(&engine, &website.url()).await else { panic!("not failed") };
        assert_eq!(error.code, Code::ProtocolError);
    }

    let closed = scripted(Reply::text(200, "")).await.url();
    let ProbeView::Failed { error } = probe(&engine, &closed).await else { panic!("not failed") };
    assert_eq!(error.code, Code::ServerUnreachable);

    assert!(engine.snapshot().servers.is_empty());
    engine.stop().await;
    for file in std::fs::read_dir(sandbox.options().state_dir).unwrap() {
        let path = file.unwrap().path();
        let text = std::fs::read(&path)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .unwrap_or_default();
        assert!(!text.contains(&open.url()), "{} contains the address", path.display());
    }
    assert_eq!(std::fs::read_to_string(sandbox.path("mcp.json")).unwrap(), file);
}

#[tokio::test]
async fn nothing_is_sent_for_an_entry_with_a_secret_and_no_program_is_started() {
    let server = FakeService::start(Options::open_handshake()).await.unwrap();
    let sandbox = Sandbox::new();
    sandbox.write_config("{}");
    let engine = sandbox.start().await;
    engine.set_secret("notes_key", "hush".into()).await.unwrap();
    let canary = sandbox.path("canary");
    for entry in [
        json!({ "url": server.url(), "headers": { "X-Key": "{{notes_key}}" } }),
        json!({ "url": server.url(), "headers": { "X-Key": "hush" } }),
        json!({ "url": format!("{}?key={{{{notes_key}}}}", server.url()) }),
        json!({ "command": "touch", "args": [canary] }),
        json!({ "url": "not an address" }),
    ] {
        let probed = engine.probe(&entry.to_string()).await.unwrap();
        assert_eq!(probed, ProbeView::NotTried, "{entry}");
    }
    assert_eq!(engine.probe("not JSON").await.unwrap(), ProbeView::NotTried);
    assert!(server.requests().is_empty());
    assert!(!canary.exists());
}
