//! The lifecycle of servers: unreachable, reachable again, started concurrently, stopped.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use serde_json::json;
use tokio::net::TcpListener;
use usher_api::{Code, NeedsSignIn, ServerId, Status};
use usher_demo::{DemoOptions, Guard};
use usher_engine::{Engine, EngineOptions, SignInOptions};
use usher_fake_service::{FakeService, Reply, result};

use crate::fixture::*;

/// A listener that accepts connections and never responds, and its address.
async fn silent_server() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn an_unreachable_server_is_retried() {
    let options = DemoOptions { signing_key: Some([7; 32]), ..DemoOptions::default() };
    let (_sandbox, demo, engine) = signed_in(options.clone()).await;
    let port = Some(demo.port());
    demo.stop().await;
    assert_eq!(call(&engine, "search_pages").await.unwrap_err().code, Code::ServerUnreachable);
    let view = until(&engine, &id(), is_reconnecting).await;
    assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable);
    let _demo = demo_with(DemoOptions { port, ..options }).await;
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn an_unreachable_server_delays_no_other() {
    let (sandbox, demo) = signed_in_before().await;
    let (_silent, silent_url) = silent_server().await;
    sandbox.write_config(&config(&[
        ("silent", &silent_url),
        ("closed", "http://127.0.0.1:9/mcp"),
        ("demo", demo.url().as_str()),
    ]));
    let engine = sandbox.start_connected().await;
    assert_eq!(engine.server(&ServerId("silent".to_owned())).unwrap().status, Status::Connecting);
    let begun = Instant::now();
    engine.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

/// A challenge and a document with so many scopes that comparing each with each takes half a minute.
#[tokio::test]
async fn a_server_with_90_000_scopes_delays_no_other() {
    let (sandbox, demo) = signed_in_before().await;
    // Names of three letters, because a header has at most 400 kB.
    let letter = |number: u32| char::from_digit(number % 36, 36).unwrap();
    let scopes: Vec<String> = (0..90_000)
        .map(|number| [number, number / 36, number / 1296, number / 46_656].map(letter).iter().collect())
        .collect();
    let hostile = FakeService::start(usher_fake_service::Options::default()).await.unwrap();
    let resource = "/.well-known/oauth-protected-resource/mcp";
    let challenge = format!(
        "Bearer scope=\"{}\", resource_metadata=\"{}\"",
        scopes[..80_000].join(" "),
        hostile.at(resource)
    );
    let document = json!({
        "resource": hostile.url(), "authorization_servers": [hostile.origin], "scopes_supported": scopes,
    });
    hostile.on(&format!("GET {resource}"), Reply::json(document));
    hostile.intercept(move |request| {
        let is_mcp = request.path == "/mcp";
        is_mcp.then(|| Reply::text(401, "").with("www-authenticate", &challenge).into_response())
    });
    sandbox.write_config(&config(&[("hostile", &hostile.url()), ("demo", demo.url().as_str())]));
    let begun = Instant::now();
    let engine = sandbox.start_connected().await;
    let hostile_id = ServerId("hostile".to_owned());
    until(&engine, &hostile_id, needs_sign_in).await;
    // The scopes are read again when the person signs in.
    engine.sign_in(&hostile_id, SignInOptions::default()).await.unwrap();
    call(&engine, "search_pages").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn all_servers_start_concurrently_and_report_whether_they_need_a_sign_in() {
    let (sandbox, closed) = (Sandbox::new(), demo().await);
    let open = demo_with(DemoOptions { guard: Guard::ToolCallsOnly, ..DemoOptions::default() }).await;
    let (_silent, silent_url) = silent_server().await;
    let names: Vec<String> = (0..8).map(|number| format!("open-{number}")).collect();
    let mut servers = vec![("silent", silent_url.as_str()), ("demo", closed.url().as_str())];
    servers.extend(names.iter().map(|name| (name.as_str(), open.url().as_str())));
    sandbox.write_config(&config(&servers));
    let engine = sandbox.start().await;
    for name in &names {
        until(&engine, &ServerId(name.clone()), is_connected).await;
    }
    until_sign_in_needed(&engine, NeedsSignIn::NeverSignedIn).await;
    let silent = engine.server(&ServerId("silent".to_owned())).unwrap();
    assert_eq!(silent.status, Status::Connecting, "no server waits for the silent one");
}

#[tokio::test]
async fn an_engine_runs_only_the_servers_in_its_options() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.write_config(&config(&[("other", "http://127.0.0.1:9/mcp"), ("demo", demo.url().as_str())]));
    let options = EngineOptions { only: Some(vec![id()]), ..sandbox.options() };
    let engine = Engine::start(options).await.unwrap();
    let ids: Vec<_> = engine.snapshot().servers.into_iter().map(|server| server.id).collect();
    assert_eq!(ids, [id()]);
    sign_in(&engine, &id()).await.unwrap();
}

#[tokio::test]
async fn a_page_of_html_is_a_protocol_error() {
    let server = FakeService::scripted().await.unwrap();
    server.on_all(Reply::html_page(200));
    let (_sandbox, engine) = started_at(&server.url()).await;
    let view = until(&engine, &id(), has_failed).await;
    let Status::Failed { error } = view.status else { panic!("not failed") };
    assert_eq!(error.code, Code::ProtocolError);
}

#[tokio::test]
async fn an_error_from_a_captive_portal_recovers_automatically() {
    let portal = Arc::new(AtomicBool::new(false));
    let is_up = Arc::clone(&portal);
    let page = || Reply::html_page(200).into_response();
    let server = mcp_server(move |_| is_up.load(Ordering::SeqCst).then(page)).await;
    let (_sandbox, engine) = connected_to(&server).await;
    portal.store(true, Ordering::SeqCst);
    engine.reconnect_all();
    until(&engine, &id(), has_failed).await;
    portal.store(false, Ordering::SeqCst);
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn a_server_keeps_its_name_whatever_it_calls_itself() {
    let title = Arc::new(Mutex::new("Notion"));
    let shown = Arc::clone(&title);
    let server = mcp_server(move |request| {
        let info = json!({ "name": "x", "version": "1", "title": *shown.lock().unwrap() });
        let accepted = json!({
            "protocolVersion": "2025-06-18", "capabilities": { "tools": {} }, "serverInfo": info,
        });
        (request.rpc_method() == "initialize").then(|| result(request, accepted))
    })
    .await;
    let sandbox = Sandbox::new();
    sandbox.write_config(&config(&[("notes", &server.url())]));
    let id = ServerId("notes".to_owned());
    let mut names = Vec::new();
    for now in ["Notion", "U\u{455}her", "Night notebook"] {
        *title.lock().unwrap() = now;
        let engine = sandbox.start().await;
        let view = until(&engine, &id, is_connected).await;
        names.push((view.name, view.title));
        engine.stop().await;
    }
    let named = |title: Option<&str>| ("notes".to_owned(), title.map(str::to_owned));
    assert_eq!(names, [named(None), named(None), named(Some("Night notebook"))]);
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
    let view = until(&engine, &gone, is_reconnecting).await;
    assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable);
}
