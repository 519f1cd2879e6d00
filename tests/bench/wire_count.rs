//! Counts the engine's requests in the demo's request log: first for a sign-in, then for a start with the stored grant.
//! Prints JSON for `cargo xtask bench`.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::json;
use usher_api::ServerId;
use usher_demo::{Demo, DemoOptions, RequestRecord};
use usher_engine::Engine;
use usher_tests::engine::{config, options, sign_in, until_connected};

const DEADLINE: Duration = Duration::from_secs(60);

pub async fn run() -> Result<()> {
    let counted = tokio::time::timeout(DEADLINE, count()).await.context("timed out after one minute")??;
    println!("{counted}");
    Ok(())
}

async fn count() -> Result<serde_json::Value> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("mcp.json"), config([("demo", demo.url().as_str())]))?;

    let engine = Engine::start(options(folder.path())).await?;
    sign_in(&engine, &ServerId("demo".to_owned())).await?;
    until_connected(&engine).await?;
    engine.stop().await;
    drop(engine);
    let first_sign_in = lines(&demo.requests());
    demo.forget_requests();

    let engine = Engine::start(options(folder.path())).await?;
    until_connected(&engine).await?;
    engine.stop().await;
    let stored_grant = lines(&demo.requests());
    demo.stop().await;
    Ok(json!({ "first_sign_in": first_sign_in, "stored_grant": stored_grant }))
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
