//! Redirects: their order, the loopback listener, paste, and links from other processes.

use std::time::Duration;

use reqwest::{IntoUrl, Response};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use usher_api::{AuthView, Code, RedirectKind, Status};
use usher_demo::{DemoOptions, RedirectPolicy};
use usher_engine::{Engine, EngineOptions, SignInOptions};
use usher_fake_service::http_client;

use crate::fixture::*;

fn accepting(redirects: RedirectPolicy) -> DemoOptions {
    DemoOptions { redirects, ..DemoOptions::default() }
}

fn redirect(engine: &Engine) -> Option<RedirectKind> {
    match engine.server(&id())?.auth {
        AuthView::OAuth { redirect, .. } => redirect,
        AuthView::Unknown | AuthView::None | AuthView::Header => None,
    }
}

async fn get(url: impl IntoUrl) -> reqwest::Result<Response> {
    http_client().build()?.get(url).send().await
}

#[tokio::test]
async fn loopback_is_used_and_remembered_after_a_rejected_redirect() {
    let (_sandbox, demo, engine) = started(accepting(RedirectPolicy::NoPrivateUse)).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_eq!(request.redirect, RedirectKind::Loopback);
    assert!(request.redirect_uri.starts_with("http://127.0.0.1:"), "{}", request.redirect_uri);
    let registrations = |status: &str| {
        let line = format!("POST /register {status}");
        requests(&demo).iter().filter(|request| **request == line).count()
    };
    assert_eq!(registrations("201"), 1);
    let rejected = registrations("400");

    // The browser opens the callback at the listener.
    let callback = decide(&request, "allow").await;
    let page = get(&callback).await.unwrap();
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("You are signed in."));
    until(&engine, &id(), is_connected).await;
    assert_eq!(redirect(&engine), Some(RedirectKind::Loopback));
    // The listener is closed.
    assert!(get(&request.redirect_uri).await.is_err());

    engine.sign_out(&id()).await.unwrap();
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_eq!(request.redirect, RedirectKind::Loopback);
    assert_eq!(registrations("400"), rejected, "a rejected redirect is not tried again");
}

#[tokio::test]
async fn a_link_with_a_host_is_tried_second() {
    let (_sandbox, _demo, engine) = signed_in(accepting(RedirectPolicy::HostRequired)).await;
    assert_eq!(redirect(&engine), Some(RedirectKind::LinkWithHost));
}

#[tokio::test]
async fn when_only_the_page_rejects_the_redirect_the_person_can_try_the_next_one() {
    let (_sandbox, _demo, engine) = started(accepting(RedirectPolicy::PrivateUseRejectedAtAuthorize)).await;
    let first = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_eq!(first.redirect, RedirectKind::Link);
    let second = engine.next_redirect(&id()).await.unwrap();
    assert_eq!(second.redirect, RedirectKind::LinkWithHost);
    let third = engine.next_redirect(&id()).await.unwrap();
    assert_eq!(third.redirect, RedirectKind::Loopback);
    let callback = decide(&third, "allow").await;
    assert_eq!(get(&callback).await.unwrap().status(), 200);
    until(&engine, &id(), is_connected).await;
}

#[tokio::test]
async fn paste_is_the_last_redirect() {
    let (_sandbox, _demo, engine) = started(accepting(RedirectPolicy::NoPrivateUse)).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_eq!(request.redirect, RedirectKind::Loopback);
    // The demo gets a `prompt`, which could be the reason for the error too.
    let request = engine.next_redirect(&id()).await.unwrap();
    assert_eq!(request.redirect, RedirectKind::Loopback);
    assert!(!request.authorization_url.contains("prompt="), "{}", request.authorization_url);
    let request = engine.next_redirect(&id()).await.unwrap();
    assert_eq!(request.redirect, RedirectKind::Paste);
    let Status::SigningIn { next_redirect, .. } = engine.server(&id()).unwrap().status else {
        panic!("not signing in")
    };
    assert_eq!(next_redirect, None);
    assert_eq!(engine.next_redirect(&id()).await.unwrap_err().code, Code::RedirectRejected);
    let callback = decide(&request, "allow").await;
    assert!(get(&callback).await.is_err(), "paste opens no listener");
    engine.complete_sign_in(&callback).await.unwrap();
}

#[tokio::test]
async fn a_pinned_redirect_is_not_replaced() {
    let (_sandbox, _demo, engine) = started(accepting(RedirectPolicy::NoPrivateUse)).await;
    let pinned = SignInOptions { redirect: Some(RedirectKind::Link), ..SignInOptions::default() };
    let error = engine.sign_in(&id(), pinned).await.unwrap_err();
    assert_eq!(error.code, Code::RedirectRejected);
}

#[tokio::test]
async fn a_program_that_receives_no_links_starts_with_loopback() {
    let (sandbox, demo) = (Sandbox::new(), demo().await);
    sandbox.configure(&demo);
    let options = EngineOptions { receives_links: false, ..sandbox.options() };
    let engine = Engine::start(options).await.unwrap();
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    assert_eq!(request.redirect, RedirectKind::Loopback);
}

#[tokio::test]
async fn the_listener_accepts_only_its_own_callback() {
    let (_sandbox, _demo, engine) = started(accepting(RedirectPolicy::NoPrivateUse)).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let forged = format!("{}?code=a&state=b", request.redirect_uri);
    assert_eq!(get(&forged).await.unwrap().status(), 400);
    let elsewhere = request.redirect_uri.replace("/oauth/callback", "/");
    assert_eq!(get(&elsewhere).await.unwrap().status(), 404);
    let rebound = request.redirect_uri.replace("127.0.0.1", "localhost");
    assert_eq!(get(format!("{rebound}?code=a&state=b")).await.unwrap().status(), 400);
    let callback = decide(&request, "allow").await;
    assert_eq!(get(&callback).await.unwrap().status(), 200);
}

/// Other programs on this computer can connect to the listener, too.
#[tokio::test]
async fn connections_without_a_request_end_with_the_listener() {
    let (_sandbox, _demo, engine) = started(accepting(RedirectPolicy::NoPrivateUse)).await;
    for quits in [false, true] {
        let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
        let port = url::Url::parse(&request.redirect_uri).unwrap().port().unwrap();
        let mut connections = Vec::new();
        for sent in ["", "GET /oauth/call", "GET /oauth/callback HTTP/1.1\r\nHost: 127.0.0.1\r\n"] {
            let mut connection = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            connection.write_all(sent.as_bytes()).await.unwrap();
            connections.push((sent, connection));
        }
        // The listener has accepted the connections before this one.
        assert_eq!(get(request.redirect_uri.replace("/callback", "")).await.unwrap().status(), 404);
        if quits {
            engine.stop().await;
        } else {
            engine.cancel_sign_in(&id()).await;
        }
        for (sent, mut connection) in connections {
            let mut rest = Vec::new();
            let ended = tokio::time::timeout(Duration::from_secs(5), connection.read_to_end(&mut rest)).await;
            assert!(ended.is_ok(), "the connection with {sent:?} stays open");
            assert!(rest.is_empty(), "{rest:?}");
        }
    }
}

#[tokio::test]
async fn a_link_is_handed_over_without_waiting_for_its_result() {
    let (_sandbox, _demo, engine) = started(Default::default()).await;
    let request = engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
    let forged = engine.hand_over_callback("dev.usher.desktop:/oauth/callback?code=a&state=b").await;
    assert_eq!(forged.unwrap_err().code, Code::AuthorizationExpired);
    engine.hand_over_callback(&decide(&request, "allow").await).await.unwrap();
    until(&engine, &id(), is_connected).await;
}
