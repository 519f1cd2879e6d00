//! `usher bridge` and `usher serve`.

use anyhow::{Context, Result, ensure};
use rustix::process::Pid;
use serde_json::{Value, json};
use usher_fake_service::{FakeService, Options};
use usher_tests::wait::until_ready;
use usher_tests::{Cli, Desktop, DesktopOptions, KillSwitch, PipedProcess};

/// Sends a request and returns its response, which must be the next line.
async fn ask(bridge: &mut PipedProcess, id: u64, method: &str, params: Value) -> Result<Value> {
    let request = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
    bridge.write_line(&request.to_string()).await?;
    let response: Value = serde_json::from_str(&bridge.line().await?)?;
    ensure!(response["id"] == id, "{response}");
    Ok(response)
}

fn initialize() -> Value {
    json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } })
}

/// Kills the engine that the bridge started.
fn kill_engine(cli: &Cli<Desktop>) -> Result<()> {
    let lock = std::fs::read_to_string(cli.desktop.engine_socket().with_file_name("engine.lock"))?;
    let id = lock.lines().next().and_then(|id| id.parse().ok()).and_then(Pid::from_raw);
    KillSwitch::new(id.context("no process ID in engine.lock")?)?.fire();
    Ok(())
}

#[tokio::test]
async fn a_client_survives_the_end_of_the_engine_and_its_open_call_fails_once() -> Result<()> {
    let service = FakeService::start(Options::open_handshake()).await?;
    let cli = Cli::with_secret_file(Desktop::start_with(DesktopOptions::HEADLESS).await?);
    cli.succeed(&["add", "notes", &service.url()]).await?;
    let mut bridge = cli.start(&["bridge", "notes", "--as", "Editor"])?;
    ask(&mut bridge, 0, "initialize", initialize()).await?;
    bridge.write_line(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await?;
    let tools = ask(&mut bridge, 1, "tools/list", json!({})).await?;
    ensure!(tools["result"]["tools"][0]["name"] == "read", "{tools}");

    bridge.write_line(r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"wait"}}"#).await?;
    let is_called = || service.requests().iter().any(|request| request.json()["params"]["name"] == "wait");
    until_ready("the call at the service", || Ok(is_called().then_some(()))).await?;
    kill_engine(&cli)?;
    let failed: Value = serde_json::from_str(&bridge.line().await?)?;
    ensure!((&failed["id"], &failed["error"]["code"]) == (&json!(2), &json!(-31001)), "{failed}");
    for list in ["tools", "resources", "prompts"] {
        let notice: Value = serde_json::from_str(&bridge.line().await?)?;
        ensure!(notice["method"] == format!("notifications/{list}/list_changed"), "{notice}");
    }
    let again = ask(&mut bridge, 3, "tools/call", json!({ "name": "read" })).await?;
    ensure!(again["result"]["content"][0]["text"] == "done", "{again}");
    kill_engine(&cli)
}

#[tokio::test]
async fn an_unknown_target_is_an_error_that_the_client_shows() -> Result<()> {
    let cli = Cli::with_secret_file(Desktop::start_with(DesktopOptions::HEADLESS).await?);
    let mut bridge = cli.start(&["bridge", "nothing"])?;
    let refused = ask(&mut bridge, 0, "initialize", initialize()).await?;
    ensure!(refused["error"]["code"] == -31002, "{refused}");
    ensure!(refused["error"]["message"].as_str().is_some_and(|text| text.contains("“nothing”")), "{refused}");
    kill_engine(&cli)
}
