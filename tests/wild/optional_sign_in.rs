//! Servers that list their tools without a token, and refuse calls without one.

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use serde_json::{Map, json};
use usher_api::{AuthView, Code, ErrorView, ServerView, Status, Want};
use usher_engine::{CallOptions, Engine};
use usher_fake_service::{FakeService, Options, Protocol, Reply};

use crate::person::{Person, id, service_with};

/// A server that needs no token for its lists.
struct Row {
    name: &'static str,
    protocol: Protocol,
    change: fn(&FakeService),
    /// Whether a sign-in needs the challenge of a call.
    needs_challenge: bool,
}

const ROWS: [Row; 5] = [
    Row {
        name: "calls are refused with a challenge",
        protocol: Protocol::Handshake,
        change: |service| refuse_calls(service, true, "/.well-known/oauth-protected-resource/mcp"),
        needs_challenge: false,
    },
    Row {
        name: "calls are refused with a challenge, with the newer protocol",
        protocol: Protocol::Discovery,
        change: |service| refuse_calls(service, true, "/.well-known/oauth-protected-resource/mcp"),
        needs_challenge: false,
    },
    Row {
        name: "calls are refused without a challenge",
        protocol: Protocol::Discovery,
        change: |service| refuse_calls(service, false, ""),
        needs_challenge: false,
    },
    Row {
        name: "only the challenge names the metadata",
        protocol: Protocol::Handshake,
        change: |service| name_metadata_only_in_challenge(service),
        needs_challenge: true,
    },
    Row {
        name: "only the challenge names the metadata, with the newer protocol",
        protocol: Protocol::Discovery,
        change: |service| name_metadata_only_in_challenge(service),
        needs_challenge: true,
    },
];

#[tokio::test]
async fn a_refused_call_offers_a_sign_in_and_keeps_the_connection() -> Result<()> {
    for row in &ROWS {
        sign_in_after_a_call(row).await.with_context(|| row.name)?;
    }
    Ok(())
}

async fn sign_in_after_a_call(row: &Row) -> Result<()> {
    let person = connected(row).await?;
    let error = call(&person.engine).await.err().context("the call succeeds")?;
    ensure!(error.code == Code::SignInRequired, "{error:?}");
    let view = person.until(|view| view.wants.is_some()).await?;
    ensure!(view.wants == Some(Want::SignIn) && is_connected(&view), "{view:?}");
    ensure!(view.is_connected_without_sign_in(), "{view:?}");

    // The next run knows it too.
    let person = person.restarted().await?;
    person.until_connected().await?;
    let view = person.until(ServerView::is_connected_without_sign_in).await?;
    ensure!(view.wants.is_none(), "{view:?}");
    person.sign_in().await?;
    let view = person.until_connected().await?;
    ensure!(matches!(view.auth, AuthView::OAuth { signed_in: true, .. }), "{view:?}");
    call(&person.engine).await?;
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_person_can_sign_in_before_the_first_call() -> Result<()> {
    for row in ROWS.iter().filter(|row| !row.needs_challenge) {
        let person = connected(row).await?;
        person.sign_in().await.with_context(|| row.name)?;
        call(&person.engine).await?;
        person.engine.stop().await;
    }
    Ok(())
}

/// A connection that needs a token even for lists ends.
#[tokio::test]
async fn a_refused_list_ends_the_connection() -> Result<()> {
    let person = connected(&ROWS[1]).await?;
    person.service.intercept(|request| {
        let is_refused = request.path == "/mcp" && request.authorization().is_empty();
        is_refused.then(|| Reply::text(401, "").into_response())
    });
    person.engine.connect(&id()).await?;
    person.until(|view| matches!(view.status, Status::NeedsSignIn { .. })).await?;
    person.engine.stop().await;
    Ok(())
}

async fn connected(row: &Row) -> Result<Person> {
    let options = Options { protocol: row.protocol, requires_authorization: false, ..Options::default() };
    let service = service_with(options).await?;
    (row.change)(&service);
    let person = Person::new(service).await?;
    let view = person.until_connected().await?;
    ensure!(view.auth == AuthView::None, "{view:?}");
    Ok(person)
}

async fn call(engine: &Engine) -> Result<(), ErrorView> {
    engine.call_tool(&id(), "write", Map::new(), CallOptions::new("call")).await.map(drop)
}

fn is_connected(view: &ServerView) -> bool {
    matches!(view.status, Status::Connected { .. })
}

/// Refuses calls without a token. The challenge names this document.
fn refuse_calls(service: &FakeService, has_challenge: bool, metadata: &str) {
    let challenge = format!("Bearer resource_metadata=\"{}\"", service.at(metadata));
    service.intercept(move |request| {
        if request.rpc_method() != "tools/call" || request.authorization().starts_with("Bearer ") {
            return None;
        }
        let refused = Reply::text(401, "");
        let refused = if has_challenge { refused.with("www-authenticate", &challenge) } else { refused };
        Some(refused.into_response())
    });
}

fn name_metadata_only_in_challenge(service: &FakeService) {
    service.on("GET /.well-known/oauth-protected-resource/mcp", Reply::text(404, ""));
    let document = json!({ "resource": service.url(), "authorization_servers": [service.origin] });
    service.on("GET /metadata", Reply::json(document));
    refuse_calls(service, true, "/metadata");
}
