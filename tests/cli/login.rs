//! Signing in without a browser window, and the refreshes afterwards.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use usher_api::ServerId;
use usher_demo::{Demo, DemoOptions};
use usher_engine::{Clock, Engine, EngineOptions};
use usher_secrets::StoreKind;
use usher_tests::engine::{call_at_once, until_connected};
use usher_tests::wait::until_ready;
use usher_tests::{Cli, Desktop, DesktopOptions};

/// Starts a headless machine, and returns a command line on it that has a private file as the secret store.
pub async fn headless() -> Result<Cli<Desktop>> {
    Ok(Cli::with_secret_file(Desktop::start_with(DesktopOptions::HEADLESS).await?))
}

/// Starts a demo and adds it as `demo`.
pub async fn add_demo(cli: &Cli<Desktop>, options: DemoOptions) -> Result<Demo> {
    let demo = Demo::start(options).await?;
    cli.succeed(&["add", "demo", demo.url().as_str()]).await?;
    Ok(demo)
}

#[tokio::test]
async fn a_script_signs_in_and_the_first_command_after_the_expiry_refreshes_once() -> Result<()> {
    let cli = headless().await?;
    let mut demo = cli.start(&["demo", "--ttl", "5", "--json"])?;
    let started: Value = serde_json::from_str(&demo.line().await?)?;
    let url = started["url"].as_str().context("the demo printed no URL")?;
    cli.succeed(&["add", "demo", url]).await?;
    cli.sign_in("demo").await?;

    let signed_in_at = Instant::now();
    assert_eq!(tool_names(&cli).await?, ["ask_back", "create_page", "draw_picture"]);

    let twelve_seconds_later = signed_in_at + Duration::from_secs(12);
    until_ready("twelve seconds to pass", || Ok((Instant::now() >= twelve_seconds_later).then_some(())))
        .await?;
    assert_eq!(tool_names(&cli).await?, ["ask_back", "create_page", "draw_picture"]);

    demo.interrupt();
    let counted: Value = serde_json::from_str(&demo.line().await?)?;
    assert_eq!(counted["token_requests"], json!({ "authorization_code": 1, "refresh_token": 1 }));
    Ok(())
}

#[tokio::test]
async fn fifty_callers_at_once_share_each_refresh() -> Result<()> {
    let life = Duration::from_secs(600);
    let cli = headless().await?;
    let demo = add_demo(&cli, DemoOptions { access_token_lifetime: life, ..DemoOptions::default() }).await?;
    cli.sign_in("demo").await?;

    let clock = Clock::default();
    let engine = engine_of(&cli.desktop, &clock).await?;
    until_connected(&engine).await?;
    assert_eq!(demo.token_requests("refresh_token"), 0);

    let server = ServerId("demo".to_owned());
    // The engine and the demo both know that the token has expired.
    demo.advance_clock(life);
    clock.advance(life);
    call_at_once(&engine, &server, 50).await?;
    assert_eq!(demo.token_requests("refresh_token"), 1);

    // Now only the demo knows that the token is invalid. The engine learns this from fifty 401 responses.
    demo.revoke_access_tokens();
    call_at_once(&engine, &server, 50).await?;
    assert_eq!(demo.token_requests("refresh_token"), 2);
    engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_sign_in_without_an_entry_is_in_the_status_until_it_is_signed_out() -> Result<()> {
    let cli = headless().await?;
    let demo = add_demo(&cli, DemoOptions::default()).await?;
    cli.sign_in("demo").await?;
    let status =
        async || anyhow::Ok(serde_json::from_str::<Value>(&cli.succeed(&["status", "--json"]).await?)?);
    let before = status().await?;
    assert_eq!((&before["servers"][0]["id"], &before["orphans"]), (&json!("demo"), &json!([])));

    std::fs::write(cli.desktop.config_file(), r#"{ "mcpServers": {} }"#)?;
    let orphan = json!({ "server": "demo", "name": "demo", "host": demo.url().host_str() });
    assert_eq!(status().await?, json!({ "servers": [], "orphans": [orphan] }));
    let text = cli.run(&["status"]).await?;
    assert!(text.stderr.contains("Run `usher logout demo`"), "{}", text.stderr);
    cli.succeed(&["logout", "demo"]).await?;
    assert_eq!(status().await?, json!({ "servers": [], "orphans": [] }));

    std::fs::write(cli.desktop.secret_file(), "not secrets")?;
    assert_eq!(status().await?, json!({ "servers": [], "orphans": null }));
    Ok(())
}

async fn engine_of(desktop: &Desktop, clock: &Clock) -> Result<Engine> {
    let (state, runtime) = (desktop.folder("state/usher"), desktop.folder("run/usher"));
    let store = StoreKind::File(desktop.secret_file());
    let options = EngineOptions::new(desktop.config_file(), state, runtime, store);
    Ok(Engine::start(EngineOptions { clock: clock.clone(), ..options }).await?)
}

async fn tool_names(cli: &Cli<Desktop>) -> Result<Vec<String>> {
    let tools: Vec<Value> = serde_json::from_str(&cli.succeed(&["tools", "demo", "--json"]).await?)?;
    let names = tools.iter().filter_map(|tool| tool["name"].as_str().map(str::to_owned));
    Ok(names.take(3).collect())
}
