//! Grants whose entries were removed from `mcp.json` by hand.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use usher_api::{OrphanView, ServerId};

use crate::person::{Person, id, service};

/// The contents that are left in `mcp.json`.
const REMAINS: [&str; 3] = [
    r#"{ "mcpServers": {} }"#,
    "{}",
    r#"{ "mcpServers": { "renamed": { "type": "http", "url": "http://127.0.0.1:9/mcp", "disabled": true } } }"#,
];

#[tokio::test]
async fn a_grant_without_an_entry_is_listed_revoked_and_deleted() -> Result<()> {
    for remains in REMAINS {
        remove(remains).await.with_context(|| remains)?;
    }
    Ok(())
}

async fn remove(remains: &str) -> Result<()> {
    let service = service().await?;
    service.change_server_metadata(json!({ "revocation_endpoint": service.at("/revoke") }));
    let person = Person::new(service).await?;
    person.sign_in().await?;
    person.until_connected().await?;
    ensure!(person.engine.orphans().await?.is_empty(), "a server in mcp.json is listed");
    ensure!(
        person.engine.remove_orphan(&id()).await.is_err(),
        "the grant of a server in mcp.json is removed"
    );
    let grant = person.store().grant(&id().0).await?.context("no grant")?;
    let token = grant.refresh_token.context("no refresh token")?;

    std::fs::write(person.path("mcp.json"), remains)?;
    let person = person.restarted().await?;
    let expected = OrphanView { server: id(), name: id().0, host: Some("127.0.0.1".to_owned()) };
    ensure!(person.engine.orphans().await? == [expected], "{:?}", person.engine.orphans().await?);
    ensure!(person.engine.remove_orphan(&ServerId("other".to_owned())).await.is_err());
    ensure!(person.service.requests_to("POST /revoke").is_empty());

    person.engine.remove_orphan(&id()).await?;
    ensure!(person.store().grant(&id().0).await?.is_none(), "the grant is still stored");
    ensure!(person.engine.orphans().await?.is_empty());
    person.service.until_requests("POST /revoke", 1).await;
    let revoked = person.service.requests_to("POST /revoke").remove(0).form().remove("token");
    ensure!(revoked.as_deref() == Some(secrecy::ExposeSecret::expose_secret(&token)), "another token");
    person.engine.stop().await;
    Ok(())
}

/// An invalid file does not say which servers were removed.
#[tokio::test]
async fn nothing_is_listed_while_mcp_json_is_invalid() -> Result<()> {
    let person = Person::new(service().await?).await?;
    person.sign_in().await?;
    for text in ["{", r#"{ "mcpServers": [] }"#] {
        std::fs::write(person.path("mcp.json"), text)?;
        ensure!(person.engine.orphans().await.is_err(), "{text}");
        ensure!(person.engine.remove_orphan(&id()).await.is_err(), "{text}");
        ensure!(person.store().grant(&id().0).await?.is_some(), "{text}");
    }
    person.engine.stop().await;
    Ok(())
}
