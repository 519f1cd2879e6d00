//! Counts the engine's requests in the demo's request log: first for a sign-in, then for a start with the stored grant.
//! Prints JSON for `cargo xtask bench`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use usher_api::{NewServer, ServerId, Status};
use usher_demo::{Demo, DemoOptions, RequestRecord};
use usher_engine::{Engine, EngineOptions, SignInOptions};
use usher_secrets::StoreKind;
use usher_tests::consent::{Decision, answer};
use usher_tests::wait::{PATIENCE, until_ready};

const DEADLINE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> Result<()> {
    let counted = tokio::time::timeout(DEADLINE, count()).await.context("timed out after one minute")??;
    println!("{counted}");
    Ok(())
}

async fn count() -> Result<serde_json::Value> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let folder = tempfile::tempdir()?;

    let engine = start(folder.path()).await?;
    let server = NewServer { name: Some("demo".into()), url: demo.url().to_string(), ..NewServer::default() };
    let server = engine.add(server, None).await?;
    let request = engine.sign_in(&server, SignInOptions::default()).await?;
    engine.browser_opened(&server);
    let address = answer(&request.authorization_url, Decision::Allow).await?;
    engine.complete_sign_in(&address).await?;
    until_connected(&engine, &server).await?;
    engine.stop().await;
    drop(engine);
    let first_sign_in = lines(&demo.requests());
    demo.forget_requests();

    let engine = start(folder.path()).await?;
    until_connected(&engine, &server).await?;
    engine.stop().await;
    let kept_sign_in = lines(&demo.requests());
    demo.stop().await;
    Ok(json!({ "first_sign_in": first_sign_in, "kept_sign_in": kept_sign_in }))
}

async fn start(folder: &Path) -> Result<Engine> {
    let store = StoreKind::File(folder.join("secrets.json"));
    let options =
        EngineOptions::new(folder.join("mcp.json"), folder.join("state"), folder.join("run"), store);
    Ok(Engine::start(options).await?)
}

async fn until_connected(engine: &Engine, server: &ServerId) -> Result<()> {
    until_ready("the connection", PATIENCE, || {
        let view = engine.server(server).context("the server was removed")?;
        Ok(matches!(view.status, Status::Connected { .. }).then_some(()))
    })
    .await
}

/// The requests, one line each, without those of the browser.
fn lines(requests: &[RequestRecord]) -> Vec<String> {
    let ours = requests.iter().filter(|request| request.path != "/authorize");
    ours.map(|request| {
        let kind = request.grant_type.as_deref().or(request.mcp_method.as_deref()).unwrap_or_default();
        let fields = [&request.method, &request.path, kind, &request.status.to_string()].map(str::to_owned);
        fields.iter().filter(|field| !field.is_empty()).cloned().collect::<Vec<_>>().join(" ")
    })
    .collect()
}
