//! A server's life beside its sign-in: out of reach, back again, all at once, and the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use usher_api::{Code, NeedsSignIn, ServerId, Status};
use usher_demo::{Demo, DemoOptions, Guard};
use usher_engine::Engine;

use crate::fixture::*;
use crate::scripted::Scripted;

#[tokio::test]
async fn a_server_out_of_reach_is_tried_again() {
    let place = Place::new();
    let key = Some([7; 32]);
    let demo = Demo::start(DemoOptions { signing_key: key, ..DemoOptions::default() }).await.unwrap();
    let engine = signed_in(&place, &demo).await;
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
async fn one_servers_trouble_delays_no_other() {
    let (place, demo) = (Place::new(), demo().await);
    // Takes connections and never answers.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/mcp", silent.local_addr().unwrap());
    signed_in(&place, &demo).await.stop().await;
    place.write_config(&config(&[
        ("silent", &silent_url),
        ("closed", "http://127.0.0.1:9/mcp"),
        ("demo", demo.url().as_str()),
    ]));
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    assert_eq!(engine.server(&ServerId("silent".to_owned())).unwrap().status, Status::Connecting);
    let begun = Instant::now();
    engine.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn all_servers_start_side_by_side_and_one_that_needs_a_sign_in_says_so() {
    let (place, closed) = (Place::new(), demo().await);
    let guard = Guard::ToolCallsOnly;
    let open = Demo::start(DemoOptions { guard, ..DemoOptions::default() }).await.unwrap();
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("http://{}/mcp", silent.local_addr().unwrap());
    let names: Vec<String> = (0..8).map(|number| format!("open-{number}")).collect();
    let mut servers = vec![("silent", silent_url.as_str()), ("demo", closed.url().as_str())];
    servers.extend(names.iter().map(|name| (name.as_str(), open.url().as_str())));
    place.write_config(&config(&servers));
    let engine = place.start().await;
    for name in &names {
        until(&engine, &ServerId(name.clone()), is_connected).await;
    }
    let view = until(&engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn });
    let silent = engine.server(&ServerId("silent".to_owned())).unwrap();
    assert_eq!(silent.status, Status::Connecting, "nobody waited for it");
    engine.stop().await;
}

#[tokio::test]
async fn an_engine_runs_only_what_it_is_told() {
    let (place, demo) = (Place::new(), demo().await);
    place.write_config(&config(&[("other", "http://127.0.0.1:9/mcp"), ("demo", demo.url().as_str())]));
    let mut options = place.options();
    options.only = Some(vec![id()]);
    let engine = Engine::start(options).await.unwrap();
    let ids: Vec<_> = engine.snapshot().servers.into_iter().map(|server| server.id).collect();
    assert_eq!(ids, [id()]);
    sign_in(&engine, &id()).await.unwrap();
    engine.stop().await;
}

#[tokio::test]
async fn a_page_of_html_is_no_server() {
    let place = Place::new();
    let html = axum::Router::new().fallback(|| async { axum::response::Html("<html>captive</html>") });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/mcp", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, html).await });
    place.write_config(&config(&[("demo", &url)]));
    let engine = place.start().await;
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    let Status::Failed { error } = view.status else { panic!("failed") };
    assert_eq!(error.code, Code::ProtocolError);
    engine.stop().await;
    server.abort();
}

#[tokio::test]
async fn what_a_portal_says_passes_by_itself() {
    let portal = Arc::new(AtomicBool::new(false));
    let answers = Arc::clone(&portal);
    let server = Scripted::start(move |_| {
        let page = || axum::response::Html("<html>Welcome to our hotel</html>").into_response();
        answers.load(Ordering::SeqCst).then(page)
    })
    .await;
    let place = Place::new();
    place.write_config(&config(&[("demo", &server.url)]));
    let engine = place.start().await;
    until(&engine, &id(), is_connected).await;
    portal.store(true, Ordering::SeqCst);
    engine.reconnect_all();
    until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    portal.store(false, Ordering::SeqCst);
    until(&engine, &id(), is_connected).await;
    engine.stop().await;
}

#[tokio::test]
async fn servers_of_one_title_are_told_apart() {
    let (place, demo) = (Place::new(), demo().await);
    let url = demo.url().as_str();
    place.write_config(&config(&[("work", url), ("home", url)]));
    let engine = place.start().await;
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
async fn what_does_not_speak_tls_is_told_apart_from_what_is_not_there() {
    let place = Place::new();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/mcp", listener.local_addr().unwrap());
    let plain = axum::Router::new().fallback(|| async { "plain" });
    let server = tokio::spawn(async move { axum::serve(listener, plain).await });
    place.write_config(&config(&[("demo", &url), ("gone", "https://127.0.0.1:9/mcp")]));
    let engine = place.start().await;
    let view = until(&engine, &id(), |view| matches!(view.status, Status::Failed { .. })).await;
    assert_eq!(view.last_error.unwrap().code, Code::TlsFailed);
    let gone = ServerId("gone".to_owned());
    let view = until(&engine, &gone, |view| matches!(view.status, Status::Reconnecting { .. })).await;
    assert_eq!(view.last_error.unwrap().code, Code::ServerUnreachable);
    engine.stop().await;
    server.abort();
}
