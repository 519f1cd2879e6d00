//! Signing in without a browser window, and the refreshes afterwards.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::Value;
use usher_api::{ServerId, Status};
use usher_demo::{Demo, DemoOptions};
use usher_engine::{CallOptions, Clock, Engine, EngineOptions};
use usher_secrets::StoreKind;
use usher_tests::consent::{self, Decision};
use usher_tests::wait::{TIMEOUT, until, until_ready};
use usher_tests::{Cli, CliProcess, Desktop, DesktopOptions};

/// A machine like those reached over SSH: no display, no bus, no keychain.
pub async fn headless() -> Result<Desktop> {
    Desktop::start_with(DesktopOptions { display: false, bus: false, keyring: false }).await
}

/// The command line with a private file as its secret store.
pub fn with_file_store(desktop: &Desktop) -> Cli<'_> {
    Cli::new(desktop).env("USHER_SECRET_STORE", format!("file:{}", desktop.folder("home/secrets").display()))
}

/// Reads the authorization URL, decides on the request, and writes the callback URL to stdin.
pub async fn answer(login: &mut CliProcess, decision: Decision) -> Result<String> {
    let line: Value = serde_json::from_str(&login.line().await?)?;
    let address = line["authorization_url"].as_str().context("no authorization_url")?;
    let callback = consent::answer(address, decision).await?;
    login.write_line(&callback)?;
    Ok(callback)
}

#[tokio::test]
async fn a_script_signs_in_and_each_token_lifetime_costs_one_refresh() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let mut demo = cli.start(&["demo", "--ttl", "5", "--json"])?;
    let started: Value = serde_json::from_str(&demo.line().await?)?;
    let url = started["url"].as_str().context("the demo printed no URL")?;
    assert_eq!(cli.run(&["add", "demo", url]).await?.code, Some(0));

    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    answer(&mut login, Decision::Allow).await?;
    let signed_in = login.finish(TIMEOUT).await?;
    assert_eq!(signed_in.code, Some(0), "{}", signed_in.stderr);

    let signed_in_at = Instant::now();
    assert_eq!(tool_names(&cli).await?, ["ask_back", "create_page", "draw_picture"]);

    let twelve_seconds_later = signed_in_at + Duration::from_secs(12);
    until_ready("twelve seconds to pass", TIMEOUT, || {
        Ok((Instant::now() >= twelve_seconds_later).then_some(()))
    })
    .await?;
    assert_eq!(tool_names(&cli).await?, ["ask_back", "create_page", "draw_picture"]);

    demo.interrupt()?;
    let counted: Value = serde_json::from_str(&demo.line().await?)?;
    let expected = serde_json::json!({ "authorization_code": 1, "refresh_token": 1 });
    assert_eq!(counted["token_requests"], expected);
    Ok(())
}

#[tokio::test]
async fn fifty_callers_at_once_share_each_refresh() -> Result<()> {
    let life = Duration::from_secs(600);
    let demo = Demo::start(DemoOptions { life, ..DemoOptions::default() }).await?;
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    assert_eq!(cli.run(&["add", "demo", demo.url().as_str()]).await?.code, Some(0));
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    answer(&mut login, Decision::Allow).await?;
    assert_eq!(login.finish(TIMEOUT).await?.code, Some(0));

    let clock = Clock::default();
    let engine = engine_of(&desktop, &clock).await?;
    let server = ServerId("demo".to_owned());
    until("the demo to be connected", TIMEOUT, || async {
        let view = engine.server(&server);
        Ok(view.filter(|view| matches!(view.status, Status::Connected { .. })).map(drop))
    })
    .await?;
    assert_eq!(demo.token_requests("refresh_token"), 0);

    // The engine and the demo both know that the token has expired.
    demo.advance_clock(life);
    clock.advance(life);
    call_fifty_times(&engine, &server).await?;
    assert_eq!(demo.token_requests("refresh_token"), 1);

    // Only the demo knows; the engine learns it from fifty 401 responses.
    demo.revoke_access_tokens();
    call_fifty_times(&engine, &server).await?;
    assert_eq!(demo.token_requests("refresh_token"), 2);
    engine.stop().await;
    Ok(())
}

async fn call_fifty_times(engine: &Engine, server: &ServerId) -> Result<()> {
    let calls = (0..50).map(|number| {
        let options = CallOptions::new(format!("call-{number}"));
        engine.call_tool(server, "search_pages", serde_json::Map::new(), options)
    });
    try_join_all(calls).await?;
    Ok(())
}

async fn engine_of(desktop: &Desktop, clock: &Clock) -> Result<Engine> {
    let options = EngineOptions::new(
        desktop.config_file(),
        desktop.folder("state/usher"),
        desktop.folder("run/usher"),
        StoreKind::File(desktop.folder("home/secrets")),
    );
    Ok(Engine::start(EngineOptions { clock: clock.clone(), ..options }).await?)
}

async fn tool_names(cli: &Cli<'_>) -> Result<Vec<String>> {
    let output = cli.run(&["tools", "demo", "--json"]).await?;
    anyhow::ensure!(output.code == Some(0), "usher tools ended with {:?}: {}", output.code, output.stderr);
    let tools: Vec<Value> = serde_json::from_str(&output.stdout)?;
    let names = tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned));
    Ok(names.take(3).collect())
}
