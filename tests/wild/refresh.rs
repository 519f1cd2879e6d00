//! Deviations in refreshes.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use futures::future::try_join_all;
use serde_json::{Map, json};
use usher_api::{Code, NeedsSignIn, Status};
use usher_engine::CallOptions;
use usher_fake_service::{FakeService, IssuedTokens, Reply, Request};
use usher_secrets::StoredGrant;

use crate::person::{Person, id, service};

/// Rejections of a refresh that are not the standard one, although the refresh token is not accepted any more.
const REJECTIONS: [(u16, &str); 13] = [
    (403, r#"{"error": "invalid_grant"}"#),
    (404, r#"{"error": "invalid_grant"}"#),
    (422, r#"{"error": "invalid_grant"}"#),
    (400, r#"{"error": "invalid_request", "error_description": "refresh token is unknown"}"#),
    (400, r#"{"error": "invalid_token"}"#),
    (401, r#"{"error": "invalid_token"}"#),
    (400, r#"{"error": "bad_refresh_token"}"#),
    (200, r#"{"error": "bad_refresh_token", "error_description": "The refresh token is incorrect."}"#),
    (200, "error=bad_refresh_token&error_description=The+refresh+token+is+incorrect."),
    (200, r#"{"ok": false, "error": "invalid_refresh_token"}"#),
    (400, r#"{"error": "unauthorized_client"}"#),
    (400, r#"{"error": "access_denied"}"#),
    (400, r#"{"error": "unsupported_grant_type"}"#),
];

/// Errors that report an outage. The sign-in is not needed.
const OUTAGES: [(u16, &str); 7] = [
    (503, r#"{"error": "invalid_grant"}"#),
    (429, r#"{"error": "invalid_grant"}"#),
    (400, r#"{"error": "temporarily_unavailable"}"#),
    (400, r#"{"error": "server_error"}"#),
    (200, r#"{"ok": false, "error": "ratelimited"}"#),
    (403, "<h1>Sign in to the network</h1>"),
    (200, "<h1>Sign in to the network</h1>"),
];

/// The state after a rejection.
const REJECTED: Status = Status::NeedsSignIn { reason: NeedsSignIn::RefreshRejected };

#[tokio::test]
async fn a_rejected_refresh_asks_for_a_sign_in_and_keeps_the_grant() -> Result<()> {
    for (status, body) in REJECTIONS {
        rejected(status, body).await.with_context(|| format!("HTTP {status} {body}"))?;
    }
    Ok(())
}

async fn rejected(status: u16, body: &'static str) -> Result<()> {
    let (person, issued) = expired(move |_| reply(status, body)).await?;
    let service = Arc::clone(&person.service);
    let view = person.until(|view| view.status == REJECTED).await?;
    let error = view.last_error.context("no error is shown")?;
    ensure!(error.code == Code::SignInRequired, "{error:?}");
    let kept = person.store().grant(&id().0).await?.context("the grant was deleted")?;
    ensure!(refresh_token(&kept)? == issued.refresh_token);
    let attempts = service.requests_to("POST /token").len();

    // A sign-in opens the browser at once, without another refresh.
    person.sign_in().await?;
    person.until_connected().await?;
    let refreshes = service.requests_to("POST /token").iter().filter(|request| is_refresh(request)).count();
    ensure!(refreshes <= attempts + 1, "{refreshes} refreshes");
    let replaced = person.store().grant(&id().0).await?.context("no grant is stored")?;
    ensure!(refresh_token(&replaced)? != issued.refresh_token, "the old grant was kept");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_rejected_refresh_is_tried_again_after_an_hour() -> Result<()> {
    let (person, issued) = expired(|_| reply(400, r#"{"error": "unauthorized_client"}"#)).await?;
    person.until(|view| view.status == REJECTED).await?;
    let attempts = person.service.requests_to("POST /token").len();
    let tokens = json!({ "access_token": person.service.issue_tokens("client").access_token });
    person
        .service
        .intercept(move |request| is_refresh(request).then(|| Reply::json(tokens.clone()).into_response()));
    person.clock.advance(Duration::from_secs(61 * 60));
    person.until_connected().await?;
    ensure!(person.service.requests_to("POST /token").len() == attempts + 1);
    let stored = person.store().grant(&id().0).await?.context("no grant is stored")?;
    ensure!(refresh_token(&stored)? == issued.refresh_token);
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn an_outage_of_the_token_endpoint_asks_for_no_sign_in() -> Result<()> {
    for (status, body) in OUTAGES {
        let (person, _) = expired(move |_| reply(status, body)).await?;
        let view = person.until(|view| !matches!(view.status, Status::Connecting)).await?;
        let is_waiting = matches!(view.status, Status::Reconnecting { .. });
        ensure!(is_waiting, "HTTP {status} {body}: {:?}", view.status);
        person.engine.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_refresh_repeats_the_scopes_where_they_are_required() -> Result<()> {
    let missing = "AADSTS90014: The required field 'scope' is missing";
    let rejections = [
        json!({ "error": "invalid_request", "error_description": missing }),
        json!({ "error": "invalid_scope" }),
        json!({ "error": "invalid_request" }),
    ];
    for rejection in rejections {
        let rejected = rejection.clone();
        let (person, issued) = expired(move |request| {
            if has_scope(request) { Reply::text(503, "") } else { Reply::json_with(400, rejected.clone()) }
        })
        .await?;
        person.until(|view| !matches!(view.status, Status::Connecting)).await?;
        let requests = person.service.requests_to("POST /token");
        ensure!(requests.iter().map(has_scope).collect::<Vec<_>>() == [false, true], "{rejection}");

        let tokens = json!({ "access_token": person.service.issue_tokens("client").access_token });
        person.service.intercept(move |request| {
            let accepted = has_scope(request).then(|| Reply::json(tokens.clone()));
            let reply = accepted.unwrap_or(Reply::json_with(400, rejection.clone()));
            is_refresh(request).then(|| reply.into_response())
        });
        person.engine.reconnect_all();
        person.until_connected().await?;
        let stored = person.store().grant(&id().0).await?.context("no grant is stored")?;
        ensure!(stored.sends_scope, "the next refresh would be rejected first");
        ensure!(refresh_token(&stored)? == issued.refresh_token);
        person.engine.stop().await;
    }
    Ok(())
}

fn has_scope(request: &Request) -> bool {
    request.form().get("scope").is_some_and(|scope| scope == "files:read")
}

/// Starts an engine with a stored grant whose access token has expired, and with these replies to refreshes.
async fn expired(
    replies: impl Fn(&Request) -> Reply + Send + Sync + 'static,
) -> Result<(Person, IssuedTokens)> {
    let service = service().await?;
    let issued = service.issue_tokens("client");
    service.ledger().expire(issued.family);
    service.intercept(move |request| is_refresh(request).then(|| replies(request).into_response()));
    let grant = StoredGrant {
        access_token: issued.access_token.clone().into(),
        refresh_token: Some(issued.refresh_token.clone().into()),
        expires_at: Some("2020-01-01T00:00:00Z".parse()?),
        scopes: vec!["files:read".to_owned()],
        account: None,
        issuer: service.origin.clone(),
        token_endpoint: service.at("/token"),
        revocation_endpoint: None,
        client_id: "client".to_owned(),
        resource: service.url(),
        sends_resource: true,
        sends_scope: false,
        has_configured_endpoints: false,
        auth_method: "none".to_owned(),
        dpop_key: None,
        token_type: "Bearer".to_owned(),
    };
    Ok((Person::with_grant(service, &grant).await?, issued))
}

fn is_refresh(request: &Request) -> bool {
    request.path == "/token" && request.form().get("grant_type").is_some_and(|kind| kind == "refresh_token")
}

fn reply(status: u16, body: &'static str) -> Reply {
    let content_type = match body.chars().next() {
        Some('{') => "application/json",
        Some('<') => "text/html",
        _ => "application/x-www-form-urlencoded",
    };
    Reply::new(status, content_type, body)
}

fn refresh_token(grant: &StoredGrant) -> Result<String> {
    let token = grant.refresh_token.as_ref().context("the grant has no refresh token")?;
    Ok(secrecy::ExposeSecret::expose_secret(token).to_owned())
}

/// Answers of a server that accepts no token at all.
#[tokio::test]
async fn a_rejected_new_token_ends_after_one_refresh() -> Result<()> {
    let rejections: [fn() -> Reply; 3] = [
        || Reply::text(401, ""),
        || Reply::text(401, "").with("www-authenticate", "Bearer error=\"invalid_token\""),
        || Reply::oauth_error(400, "invalid_token"),
    ];
    for rejection in rejections {
        let person = Person::new(service().await?).await?;
        person.sign_in().await?;
        person.until_connected().await?;
        person
            .service
            .intercept(move |request| (request.path == "/mcp").then(|| rejection().into_response()));
        for _ in 0..3 {
            let called = person.engine.call_tool(&id(), "read", Map::new(), CallOptions::new("call")).await;
            ensure!(called.is_err_and(|error| error.code == Code::SignInRequired), "the call succeeds");
        }
        person.until(|view| matches!(view.status, Status::NeedsSignIn { .. })).await?;
        let requests = person.service.requests_to("POST /token");
        ensure!(requests.iter().filter(|request| is_refresh(request)).count() == 1, "not one refresh");
        ensure!(person.store().grant(&id().0).await?.is_some(), "the grant was deleted");
        person.engine.stop().await;
    }
    Ok(())
}

/// Lifetimes in seconds that would cause a refresh all the time.
const SHORT_LIFETIMES: [u32; 3] = [1, 2, 3];

#[tokio::test]
async fn idle_refreshes_of_short_lived_tokens_become_rarer() -> Result<()> {
    try_join_all(SHORT_LIFETIMES.map(async |lifetime| {
        let person = with_lifetime(lifetime).await?;
        let begun = Instant::now();
        // The exchange, and three refreshes with pauses of two and four seconds between them.
        person.service.until_requests("POST /token", 4).await;
        ensure!(begun.elapsed() >= Duration::from_secs(5), "{lifetime}: {:?}", begun.elapsed());
        person.engine.stop().await;
        Ok(())
    }))
    .await?;
    Ok(())
}

#[tokio::test]
async fn calls_with_short_lived_tokens_succeed() -> Result<()> {
    try_join_all(SHORT_LIFETIMES.map(async |lifetime| {
        let person = with_lifetime(lifetime).await?;
        let begun = Instant::now();
        for round in 0..3 {
            let call = async |number| {
                let options = CallOptions::new(format!("{round}-{number}"));
                person.engine.call_tool(&id(), "write", Map::new(), options).await
            };
            try_join_all((0..5).map(call)).await.with_context(|| format!("lifetime {lifetime}"))?;
        }
        let requests = person.service.requests_to("POST /token").len();
        let most = 3 + usize::try_from(begun.elapsed().as_secs())?;
        ensure!(requests <= most, "{lifetime}: {requests} token requests in {:?}", begun.elapsed());
        person.engine.stop().await;
        Ok(())
    }))
    .await?;
    Ok(())
}

/// Signs in to a service that says that each token lives for `lifetime` seconds.
async fn with_lifetime(lifetime: u32) -> Result<Person> {
    let service = service().await?;
    let issued: Vec<_> = (0..200).map(|_| service.issue_tokens("client-0")).collect();
    issue(&service, issued, lifetime);
    let person = Person::new(service).await?;
    person.sign_in().await?;
    person.until_connected().await?;
    Ok(person)
}

/// Answers each token request with the next of these tokens.
fn issue(service: &FakeService, tokens: Vec<IssuedTokens>, lifetime: u32) {
    let tokens = Mutex::new(tokens);
    service.intercept(move |request| {
        if request.path != "/token" {
            return None;
        }
        let issued = tokens.lock().ok()?.pop()?;
        let body = json!({
            "access_token": issued.access_token, "refresh_token": issued.refresh_token,
            "token_type": "Bearer", "expires_in": lifetime,
        });
        Some(Reply::json(body).into_response())
    });
}
