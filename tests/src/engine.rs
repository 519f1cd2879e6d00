//! An engine inside the process of a test or a measurement, without the app or the command.

use std::path::Path;

use anyhow::{Context, Result};
use secrecy::ExposeSecret;
use serde_json::{Map, json};
use usher_api::{ServerId, Status};
use usher_engine::{CallOptions, Engine, EngineOptions, SignInOptions};
use usher_secrets::{SecretStore, StoreKind};

use crate::consent::{self, Decision};
use crate::wait::TIMEOUT;

/// The text of an `mcp.json` with these servers, each with its name and URL.
pub fn config<'a>(servers: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let entries =
        servers.into_iter().map(|(name, url)| (name.to_owned(), json!({ "type": "http", "url": url })));
    json!({ "mcpServers": entries.collect::<Map<_, _>>() }).to_string()
}

/// The options of an engine with all its files in one folder, and its secrets in the file `secrets`.
pub fn options(folder: &Path) -> EngineOptions {
    let at = |name: &str| folder.join(name);
    EngineOptions::new(at("mcp.json"), at("state"), at("run"), StoreKind::File(at("secrets")))
}

/// The refresh token of a server in a secret store; `None` if none is stored.
pub async fn refresh_token(store: StoreKind, server: &str) -> Result<Option<String>> {
    let grant = SecretStore::open(store).grant(server).await.context("the secret store cannot be read")?;
    let Some(grant) = grant else { return Ok(None) };
    let token = grant.refresh_token.context("the stored grant has no refresh token")?;
    Ok(Some(token.expose_secret().to_owned()))
}

/// Signs in to a demo and allows access.
pub async fn sign_in(engine: &Engine, server: &ServerId) -> Result<()> {
    let request = engine.sign_in(server, SignInOptions::default()).await?;
    let callback = consent::answer(&request.authorization_url, Decision::Allow).await?;
    engine.complete_sign_in(&callback).await?;
    Ok(())
}

/// Waits until every server is connected. It waits for events, because polling would distort a measurement.
pub async fn until_connected(engine: &Engine) -> Result<()> {
    let mut events = engine.subscribe();
    let wait = async {
        while !is_connected(engine) {
            // A missed event does not matter, because the snapshot includes it.
            let _ = events.recv().await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.context("timed out waiting for every connection")
}

fn is_connected(engine: &Engine) -> bool {
    let servers = engine.snapshot().servers;
    !servers.is_empty() && servers.iter().all(|view| matches!(view.status, Status::Connected { .. }))
}

/// Calls a tool of the demo `count` times concurrently. Fails if a call fails.
pub async fn call_at_once(engine: &Engine, server: &ServerId, count: usize) -> Result<()> {
    let calls = (0..count).map(|number| {
        let options = CallOptions::new(format!("call-{number}"));
        engine.call_tool(server, "search_pages", Map::new(), options)
    });
    futures::future::try_join_all(calls).await?;
    Ok(())
}
