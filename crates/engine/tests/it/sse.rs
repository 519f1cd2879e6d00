//! The older transport HTTP+SSE behind an authorization server, and the detection of the transport.

use std::time::Duration;

use usher_api::{Code, NeedsSignIn, TransportKind};
use usher_demo::{Demo, DemoOptions, Transport};
use usher_engine::{CallOptions, Engine};

use crate::fixture::*;

fn sse() -> DemoOptions {
    DemoOptions { transport: Transport::Sse, ..DemoOptions::default() }
}

/// The requests to the MCP server, each with its status.
fn mcp_requests(demo: &Demo) -> Vec<String> {
    let is_mcp = |line: &String| line.contains(" /mcp") || line.contains(" /messages");
    requests(demo).into_iter().filter(is_mcp).collect()
}

async fn started_as(kind: &str, demo: &Demo) -> (Sandbox, Engine) {
    let sandbox = Sandbox::new();
    let entry = format!(r#"{{ "type": "{kind}", "url": "{}" }}"#, demo.url());
    sandbox.write_config(&format!(r#"{{ "mcpServers": {{ "demo": {entry} }} }}"#));
    let engine = sandbox.start().await;
    (sandbox, engine)
}

#[tokio::test]
async fn each_transport_is_found_whatever_the_entry_says_and_remembered() {
    // The last column begins the requests of the other transport.
    for (kind, transport, other) in [
        ("sse", Transport::Sse, "POST /mcp"),
        ("http", Transport::Sse, "POST /mcp"),
        ("sse", Transport::StreamableHttp, "GET /mcp"),
    ] {
        let demo = demo_with(DemoOptions { transport, ..DemoOptions::default() }).await;
        let (sandbox, engine) = started_as(kind, &demo).await;
        sign_in(&engine, &id()).await.unwrap();
        call(&engine, "search_pages").await.unwrap();
        let shown = if kind == "sse" { TransportKind::Sse } else { TransportKind::Http };
        assert_eq!(engine.server(&id()).unwrap().transport, shown);
        engine.stop().await;
        demo.forget_requests();
        let engine = sandbox.start_connected().await;
        let sent = mcp_requests(&demo);
        assert!(!sent.iter().any(|line| line.starts_with(other)), "{kind}: {sent:?}");
        engine.stop().await;
    }
}

#[tokio::test]
async fn a_token_expires_without_the_end_of_the_session() {
    let life = Duration::from_secs(60);
    let (sandbox, demo, engine) = signed_in(DemoOptions { access_token_lifetime: life, ..sse() }).await;
    demo.forget_requests();
    for _ in 0..3 {
        // A sleep would end the session.
        sandbox.clock.pass(life * 2);
        demo.advance_clock(life * 2);
        call(&engine, "search_pages").await.unwrap();
    }
    // The service rejects a token before its expiry.
    demo.revoke_access_tokens();
    call(&engine, "search_pages").await.unwrap();
    assert!(demo.token_requests("refresh_token") >= 4, "{:?}", requests(&demo));
    let sent = mcp_requests(&demo);
    assert!(!sent.iter().any(|line| line.starts_with("GET ")), "a new session: {sent:?}");
}

#[tokio::test]
async fn a_new_sign_in_continues_the_session() {
    let (_sandbox, demo, engine) = signed_in(sse()).await;
    demo.revoke_everything();
    assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::SignInRequired);
    until_sign_in_needed(&engine, NeedsSignIn::Expired).await;
    demo.forget_requests();
    sign_in(&engine, &id()).await.unwrap();
    call(&engine, "search_pages").await.unwrap();
    let sent = mcp_requests(&demo);
    assert!(!sent.is_empty() && !sent.iter().any(|line| line.starts_with("GET ")), "a new session: {sent:?}");
}

#[tokio::test]
async fn a_call_gets_its_permission_during_the_session() {
    let challenge_scopes = ["openid", "notes:read"].map(String::from).to_vec();
    let (_sandbox, demo, engine) = signed_in(DemoOptions { challenge_scopes, ..sse() }).await;
    demo.forget_requests();
    let caller = engine.clone();
    let write = tokio::spawn(async move {
        let page = serde_json::from_str(r#"{ "title": "Tea" }"#).unwrap();
        caller.call_tool(&id(), "create_page", page, CallOptions::new("write")).await
    });
    until(&engine, &id(), |view| view.permission.is_some()).await;
    sign_in(&engine, &id()).await.unwrap();
    assert!(!write.await.unwrap().unwrap().is_error);
    let sent = mcp_requests(&demo);
    assert!(!sent.iter().any(|line| line.starts_with("GET ")), "a new session: {sent:?}");
}
