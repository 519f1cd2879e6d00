//! The lifecycle of servers: unreachable, reachable again, started concurrently, stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use usher_api::{Code, NeedsSignIn, ServerId, Status};
use usher_demo::{Demo, DemoOptions, Guard};
use usher_engine::Engine;
use usher_fake_service::{FakeService, Reply};

use crate::fixture::*;

#[tokio::test]
async fn an_unreachable_server_is_retried() {
    let sandbox = Sandbox::new();
    let key = Some([7; 32]);
    let demo = Demo::start(DemoOptions { signing_key: key, ..DemoOptions::default() }).await.unwrap();
    let engine = signed_in(&sandbox, &demo).await;
    let port = demo.port();
    demo.stop().await;
    let error = engine
        .call_tool(&id(), "search_pages", Default::default(), usher_engine::CallOptions::new("x"))
        .await;
    assert_eq!(error.unwrap_err().code, Code::ServerUnreachable);
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Reconnecting { .. })).await;
    assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable);
    let demo = Demo::start(DemoOptions { signing_key: key, port: Some(port), ..DemoOptions::default() })
        .await
        .unwrap();
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
    demo.stop().await;
}

#[tokio::test]
async fn an_unreachable_server_delays_no_other() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    // Accepts connections and never responds.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/mcp", silent.local_addr().unwrap());
    signed_in(&sandbox, &demo).await.stop().await;
    sandbox.write_config(&config(&[
        ("silent", &silent_url),
        ("closed", "http://127.0.0.1:9/mcp"),
        ("demo", demo.url().as_str()),
    ]));
    let engine = sandbox.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(engine.server(&ServerId("silent".to_owned())).unwrap().status, Status::Connecting);
    let begun = Instant::now();
    engine.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn all_servers_start_concurrently_and_report_that_they_need_a_sign_in() {
    let (sandbox, closed) = (Sandbox::new(), demo().await);
    let guard = Guard::ToolCallsOnly;
    let open = Demo::start(DemoOptions { guard, ..DemoOptions::default() }).await.unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/mcp", silent.local_addr().unwrap());
    let names: Vec<String> = (0..8).map(|number| format!("open-{number}")).collect();
    let mut servers = vec![("silent", silent_url.as_str()), ("demo", closed.url().as_str())];
    servers.extend(names.iter().map(|name| (name.as_str(), open.url().as_str())));
    sandbox.write_config(&config(&servers));
    let engine = sandbox.start().await;
    for name in &names {
        until(&engine, &ServerId(name.clone()), is_connected).await;
    }
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    let silent = engine.server(&ServerId("silent".to_owned())).unwrap();
    assert_eq!(silent.status, Status::Connecting, "no server waited for it");
    engine.stop().await;
}

#[tokio::test]
async fn an_engine_runs_only_the_servers_in_its_options() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.write_config(&config(&[("other", "http://127.0.0.1:9/mcp"), ("demo", demo.url().as_str())]));
    let mut options = sandbox.options();
    options.only = Some(vec![id()]);
    let engine = Engine::start(options).await.unwrap();
    let ids: Vec<_> = engine.snapshot().servers.into_iter().map(|server| server.id).collect();
    assert_eq!(ids, [id()]);
    sign_in(&engine, &id()).await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn a_page_of_html_is_a_protocol_error() {
    let sandbox = Sandbox::new();
    let server = FakeService::scripted().await.unwrap();
    server.on_all(Reply::html_page(200));
    sandbox.write_config(&config(&[("demo", &server.url())]));
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), has_failed).await;
    let Status::Failed { error } = view.status else { panic!("not failed") };
    assert_eq!(error.code, Code::ProtocolError);
    engine.stop().await;
}

#[tokio::test]
async fn an_error_from_a_captive_portal_recovers_automatically() {
    let portal = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&portal);
    let server = mcp_server(move |_| {
        let page = || Reply::html_page(200).into_response();
        is_up.load(Ordering::SeqCst).then(page)
    })
    .await;
    let sandbox = Sandbox::new();
    sandbox.write_config(&config(&[("demo", &server.url())]));
    let engine = sandbox.start().await;
    until(&engine, &id(), is_connected).await;
    portal.store(true, Ordering::SeqCst);
    engine.reconnect_all();
    until(&engine, &id(), has_failed).await;
    portal.store(false, Ordering::SeqCst);
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn servers_with_the_same_title_get_different_names() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    let url = demo.url().as_str();
    sandbox.write_config(&config(&[("work", url), ("home", url)]));
    let engine = sandbox.start().await;
    let name = |id: &str| engine.server(&ServerId(id.to_owned())).unwrap().name;
    sign_in(&engine, &ServerId("work".to_owned())).await.unwrap();
    assert_eq!([name("work"), name("home")], ["Usher demo", "home"]);
    sign_in(&engine, &ServerId("home".to_owned())).await.unwrap();
    assert_eq!([name("work"), name("home")], ["Usher demo (work)", "Usher demo (home)"]);
    let shown: Vec<_> = engine.snapshot().servers.into_iter().map(|view| view.name).collect();
    assert_eq!(shown, ["Usher demo (work)", "Usher demo (home)"]);
    engine.remove(&ServerId("home".to_owned())).await.unwrap();
    assert_eq!(name("work"), "Usher demo");
    engine.stop().await;
}

#[tokio::test]
async fn a_server_without_tls_is_reported_differently_from_an_unreachable_one() {
    let sandbox = Sandbox::new();
    let plain = FakeService::scripted().await.unwrap();
    let url = plain.url().replace("http:", "https:");
    sandbox.write_config(&config(&[("demo", &url), ("gone", "https://127.0.0.1:9/mcp")]));
    let engine = sandbox.start().await;
    let view = until(&engine, &id(), has_failed).await;
    assert_eq!(view.last_error.unwrap().code, Code::TlsFailed);
    let gone = ServerId("gone".to_owned());
    let view = until(&engine, &gone, |view| matches!(view.status, Status::Reconnecting { .. })).await;
    assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable);
    engine.stop().await;
}
