//! Authorization servers whose page cannot be passed with the `prompt` that Usher adds for a refresh token.

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use serde_json::json;
use usher_api::{AuthorizationRequestView, RedirectKind, Status};
use usher_engine::SignInOptions;
use usher_fake_service::{FakeService, Reply};

use crate::person::{Person, id, service};
use crate::sign_in::{answered, list_scopes};

/// A service that rejects `prompt=consent`.
struct Row {
    name: &'static str,
    change: fn(&FakeService),
    /// The `prompt` in `mcp.json`.
    setting: Option<&'static str>,
    /// Whether the page shows the error. Otherwise, it redirects with one.
    shows_error: bool,
    /// The redirects of the attempts, until one succeeds.
    attempts: &'static [RedirectKind],
}

const ROWS: [Row; 6] = [
    Row {
        name: "the page shows an error for the prompt",
        change: |service| refuse_prompt(service, None),
        setting: None,
        shows_error: true,
        attempts: &[
            RedirectKind::Link,
            RedirectKind::LinkWithHost,
            RedirectKind::Loopback,
            RedirectKind::Loopback,
        ],
    },
    Row {
        name: "the page shows nothing for the prompt",
        change: |service| {
            service.intercept(|request| {
                let is_refused = request.path == "/authorize" && request.line.contains("prompt=");
                is_refused.then(|| Reply::text(200, "").into_response())
            });
        },
        setting: None,
        shows_error: true,
        attempts: &[
            RedirectKind::Link,
            RedirectKind::LinkWithHost,
            RedirectKind::Loopback,
            RedirectKind::Loopback,
        ],
    },
    Row {
        name: "the callback says that the prompt is not supported",
        change: |service| {
            let description = "Unsupported+prompt:+consent";
            refuse_prompt(service, Some(format!("error=invalid_request&error_description={description}")));
        },
        setting: None,
        shows_error: false,
        attempts: &[RedirectKind::Link, RedirectKind::Link],
    },
    Row {
        name: "the callback has an error of its own for the prompt",
        change: |service| refuse_prompt(service, Some("error=invalid_prompt".to_owned())),
        setting: None,
        shows_error: false,
        attempts: &[RedirectKind::Link, RedirectKind::Link],
    },
    Row {
        name: "the setting is none",
        change: |service| refuse_prompt(service, None),
        setting: Some("none"),
        shows_error: true,
        attempts: &[RedirectKind::Link],
    },
    Row {
        name: "the setting is empty",
        change: |service| refuse_prompt(service, None),
        setting: Some(""),
        shows_error: true,
        attempts: &[RedirectKind::Link],
    },
];

#[tokio::test]
async fn a_person_can_sign_in_without_the_prompt_and_it_is_remembered() -> Result<()> {
    for row in ROWS {
        sign_in(&row).await.with_context(|| row.name)?;
    }
    Ok(())
}

async fn sign_in(row: &Row) -> Result<()> {
    let service = service().await?;
    list_scopes(&service, "files:read offline_access");
    (row.change)(&service);
    let mut entry = json!({ "type": "http", "url": service.url() });
    if let Some(prompt) = row.setting {
        entry["oauth"] = json!({ "prompt": prompt });
    }
    let person = Person::with_entry(service, entry).await?;
    let mut request = begin(&person).await?;
    let (last, failing) = row.attempts.split_last().context("no attempts")?;
    for kind in failing {
        ensure!(request.redirect == *kind, "{:?} instead of {kind:?}", request.redirect);
        match person.open_page(&request.authorization_url).await {
            Ok(callback) => {
                ensure!(!row.shows_error, "the page shows no error");
                ensure!(person.engine.complete_sign_in(&callback).await.is_err(), "the sign-in succeeds");
                request = begin(&person).await?;
            }
            Err(_) => {
                ensure!(row.shows_error, "the page shows an error");
                request = person.engine.next_redirect(&id()).await?;
            }
        }
    }
    ensure!(request.redirect == *last, "{:?} instead of {last:?}", request.redirect);
    finish(&person, &request).await?;

    // The next sign-in needs one attempt.
    person.engine.sign_out(&id()).await?;
    let request = begin(&person).await?;
    ensure!(request.redirect == *last, "{:?} instead of {last:?}", request.redirect);
    finish(&person, &request).await?;
    person.engine.stop().await;
    Ok(())
}

/// A redirect that worked before is not the reason for the error.
#[tokio::test]
async fn the_prompt_is_dropped_first_if_the_redirect_has_worked() -> Result<()> {
    let service = service().await?;
    list_scopes(&service, "files:read offline_access");
    let person = Person::new(service).await?;
    person.sign_in().await?;
    refuse_prompt(&person.service, None);
    person.engine.sign_out(&id()).await?;
    begin(&person).await?;
    let view = person.engine.server(&id()).context("no server")?;
    let Status::SigningIn { next_redirect, next_omits_prompt, .. } = view.status else {
        anyhow::bail!("not signing in: {view:?}")
    };
    ensure!((next_redirect, next_omits_prompt) == (Some(RedirectKind::Link), true), "{next_redirect:?}");
    let request = person.engine.next_redirect(&id()).await?;
    ensure!(request.redirect == RedirectKind::Link, "{:?}", request.redirect);
    finish(&person, &request).await?;
    person.engine.stop().await;
    Ok(())
}

async fn begin(person: &Person) -> Result<AuthorizationRequestView> {
    Ok(person.engine.sign_in(&id(), SignInOptions::default()).await?)
}

async fn finish(person: &Person, request: &AuthorizationRequestView) -> Result<()> {
    let callback = person.open_page(&request.authorization_url).await?;
    person.engine.complete_sign_in(&callback).await?;
    person.until(|view| matches!(view.status, Status::Connected { .. })).await?;
    Ok(())
}

/// Rejects each authorization request with a `prompt`, on the page or with this outcome in the callback.
fn refuse_prompt(service: &FakeService, outcome: Option<String>) {
    service.intercept(move |request| {
        let is_refused = request.path == "/authorize" && request.line.contains("prompt=");
        is_refused.then(|| match &outcome {
            Some(outcome) => answered(request, outcome),
            None => Reply::text(400, "Bad request").into_response(),
        })
    });
}
