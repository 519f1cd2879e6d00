//! Changes to `mcp.json` after a sign-in.

use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use axum::response::IntoResponse;
use serde_json::{Value, json};
use usher_api::{Code, NeedsSignIn, Status};
use usher_engine::SignInOptions;
use usher_fake_service::{FakeService, Reply};

use crate::person::{Person, id, reported, service};

#[tokio::test]
async fn endpoints_that_are_added_or_changed_are_used_at_once() -> Result<()> {
    for before in [None, Some("/old")] {
        let service = service().await?;
        accept_any_client(&service);
        let person = Person::with_entry(Arc::clone(&service), entry(&service, before)).await?;
        person.sign_in().await?;
        person.until_connected().await?;
        service.forget_requests();

        person.change_entry(&entry(&service, Some("/new")))?;
        person.until(needs_sign_in).await?;
        person.sign_in().await?;
        person.until_connected().await?;
        let paths: Vec<_> = service.requests().into_iter().map(|request| request.path).collect();
        ensure!(paths.iter().any(|path| path == "/new/token"), "{paths:?}");
        ensure!(!paths.iter().any(|path| path == "/token" || path.starts_with("/old")), "{paths:?}");
        person.engine.stop().await;
    }
    Ok(())
}

/// The grant belongs to the removed endpoints, so nothing is sent to them any more.
#[tokio::test]
async fn endpoints_that_are_removed_are_not_used_any_more() -> Result<()> {
    let service = service().await?;
    accept_any_client(&service);
    let person = Person::with_entry(Arc::clone(&service), entry(&service, Some("/old"))).await?;
    person.sign_in().await?;
    person.until_connected().await?;
    service.forget_requests();
    person.change_entry(&entry(&service, None))?;
    person.until(needs_sign_in).await?;
    person.sign_in().await?;
    person.until_connected().await?;
    let paths: Vec<_> = service.requests().into_iter().map(|request| request.path).collect();
    ensure!(paths.iter().any(|path| path == "/token"), "{paths:?}");
    ensure!(!paths.iter().any(|path| path.starts_with("/old")), "{paths:?}");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_withdrawn_permission_to_go_without_pkce_is_respected() -> Result<()> {
    let service = service().await?;
    service.change_server_metadata(json!({ "code_challenge_methods_supported": null }));
    let mut entry = json!({ "type": "http", "url": service.url(), "oauth": { "allowMissingPkce": true } });
    let person = Person::with_entry(service, entry.clone()).await?;
    person.sign_in().await?;
    person.until_connected().await?;
    // The entry is disabled in between, so that the test sees when the change takes effect.
    entry["oauth"] = json!({});
    entry["disabled"] = json!(true);
    person.change_entry(&entry)?;
    person.until(|view| view.status == Status::Disabled).await?;
    entry["disabled"] = json!(false);
    person.change_entry(&entry)?;
    person.until_connected().await?;
    let error = person.sign_in().await.err().context("the sign-in succeeds")?;
    ensure!(reported(&error).code == Code::DiscoveryFailed, "{error:#}");
    person.engine.stop().await;
    Ok(())
}

/// H1 of the attacks: the code of a waiting sign-in must not lead to a token for another address.
#[tokio::test]
async fn a_waiting_sign_in_ends_when_its_address_changes() -> Result<()> {
    let (old, new) = (service().await?, service().await?);
    let person = Person::new(Arc::clone(&old)).await?;
    let request = person.engine.sign_in(&id(), SignInOptions::default()).await?;
    let callback = person.open_page(&request.authorization_url).await?;
    person.change_entry(&json!({ "type": "http", "url": new.url() }))?;
    person.until(|view| view.address == new.url() && needs_sign_in(view)).await?;

    let error = person.engine.complete_sign_in(&callback).await.err().context("the sign-in succeeds")?;
    ensure!(error.code == Code::AuthorizationExpired, "{error:?}");
    ensure!(old.requests_to("POST /token").is_empty(), "the code was exchanged");
    ensure!(new.requests().iter().all(|request| request.authorization().is_empty()), "a token was sent");
    ensure!(person.store().grant(&id().0).await?.is_none(), "a grant was stored");
    person.engine.stop().await;
    Ok(())
}

fn needs_sign_in(view: &usher_api::ServerView) -> bool {
    matches!(view.status, Status::NeedsSignIn { reason: NeedsSignIn::NeverSignedIn | NeedsSignIn::Expired })
}

/// An entry with a pre-registered client, and with endpoints below this path.
fn entry(service: &FakeService, path: Option<&str>) -> Value {
    let mut oauth = json!({ "clientId": "client" });
    if let Some(path) = path {
        oauth["authorizationUrl"] = service.at(&format!("{path}/authorize")).into();
        oauth["tokenUrl"] = service.at(&format!("{path}/token")).into();
    }
    json!({ "type": "http", "url": service.url(), "oauth": oauth })
}

/// Approves every authorization request below any path, and exchanges every code.
fn accept_any_client(service: &FakeService) {
    let issued = service.issue_tokens("client");
    let tokens = json!({ "access_token": issued.access_token, "refresh_token": issued.refresh_token });
    service.intercept(move |request| {
        if request.path.ends_with("/token") {
            return Some(Reply::json(tokens.clone()).into_response());
        }
        request.path.ends_with("/authorize").then(|| crate::sign_in::approved(request))
    });
}
