//! Several processes share one engine: the first one holds it, and the others join.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::Value;
use tokio::net::TcpListener;
use usher_demo::{Demo, DemoOptions};
use usher_tests::consent::Decision;
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{Cli, CliProcess, Desktop};

use crate::login::{answer, headless, with_file_store};

/// Starts a demo and adds it as `demo`, signed in, and as `other`.
pub async fn signed_in(cli: &Cli<'_>) -> Result<Demo> {
    let demo = Demo::start(DemoOptions::default()).await?;
    for name in ["demo", "other"] {
        assert_eq!(cli.run(&["add", name, demo.url().as_str()]).await?.code, Some(0));
    }
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    answer(&mut login, Decision::Allow).await?;
    assert_eq!(login.finish(TIMEOUT).await?.code, Some(0));
    Ok(demo)
}

/// Starts a sign-in without a callback, which holds the engine until the command is ended.
pub async fn holder(cli: &Cli<'_>) -> Result<CliProcess> {
    let mut holder = cli.start(&["login", "other", "--no-browser"])?;
    holder.line().await?;
    Ok(holder)
}

pub fn socket(desktop: &Desktop) -> PathBuf {
    desktop.folder("run/usher/engine.sock")
}

pub async fn tasks(demo: &Demo, count: usize) -> Result<()> {
    let what = format!("{count} tasks to run");
    until_ready(&what, TIMEOUT, || Ok((demo.running_tasks() == count).then_some(()))).await
}

fn connections(demo: &Demo) -> usize {
    let discovers = |method: &Option<String>| method.as_deref() == Some("server/discover");
    demo.requests().iter().filter(|request| discovers(&request.mcp_method)).count()
}

#[tokio::test]
async fn a_second_command_works_through_the_first() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let demo = signed_in(&cli).await?;
    let first = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 60, "millis": 50 }"#])?;
    tasks(&demo, 1).await?;
    let connections_before = connections(&demo);

    let status = cli.run(&["status", "demo", "--json"]).await?;
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let view: Value = serde_json::from_str(&status.stdout)?;
    assert_eq!(view["status"]["state"], "connected");
    let second = cli.run(&["call", "demo", "slow_task", r#"{ "steps": 3, "millis": 5 }"#]).await?;
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    assert!(second.stderr.contains("2 of 3"), "{}", second.stderr);
    assert!(!second.stderr.contains("of 60"), "progress of another command's call: {}", second.stderr);
    assert_eq!(connections(&demo), connections_before, "a second connection was made");
    assert_eq!(demo.running_tasks(), 1, "the first still runs");

    let first = first.finish(TIMEOUT).await?;
    assert_eq!((first.code, first.stdout.as_str()), (Some(0), "Done: 60 steps.\n"), "{}", first.stderr);
    assert!(!socket(&desktop).exists());
    Ok(())
}

#[tokio::test]
async fn a_command_signs_in_and_out_through_another() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let demo = signed_in(&cli).await?;
    let mut first = holder(&cli).await?;

    assert_eq!(cli.run(&["logout", "demo"]).await?.code, Some(0));
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(3));
    let mut login = cli.start(&["login", "demo", "--no-browser"])?;
    answer(&mut login, Decision::Allow).await?;
    let login = login.finish(TIMEOUT).await?;
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    assert!(login.stdout.contains("Signed in to"), "{}", login.stdout);
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(0));
    assert_eq!(demo.token_requests("authorization_code"), 2);

    first.interrupt()?;
    assert_eq!(first.finish(TIMEOUT).await?.code, Some(5));
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(0), "the sign-in is kept");
    Ok(())
}

#[tokio::test]
async fn ctrl_c_cancels_a_call_in_the_holder() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let demo = signed_in(&cli).await?;
    let _first = holder(&cli).await?;
    let mut call = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 100, "millis": 500 }"#])?;
    tasks(&demo, 1).await?;
    call.interrupt()?;
    let call = call.finish(TIMEOUT).await?;
    assert_ne!(call.code, Some(0));
    assert!(call.stderr.contains("cancelled"), "{}", call.stderr);
    tasks(&demo, 0).await
}

#[tokio::test]
async fn a_holder_finishes_the_call_of_another_command() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let demo = signed_in(&cli).await?;
    let mut first = holder(&cli).await?;
    let second = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 40, "millis": 50 }"#])?;
    tasks(&demo, 1).await?;
    first.interrupt()?;
    let second = second.finish(TIMEOUT).await?;
    assert_eq!((second.code, second.stdout.as_str()), (Some(0), "Done: 40 steps.\n"), "{}", second.stderr);
    let first = first.finish(TIMEOUT).await?;
    assert_eq!(first.code, Some(5), "{}", first.stderr);
    assert!(first.stderr.contains("that depends on this one"), "{}", first.stderr);
    Ok(())
}

#[tokio::test]
async fn a_killed_holder_blocks_no_other_command() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let demo = signed_in(&cli).await?;
    // A server that never responds, so that a command waits for it.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/mcp", silent.local_addr()?);
    assert_eq!(cli.run(&["add", "silent", &address]).await?.code, Some(0));

    let first = holder(&cli).await?;
    let call = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 100, "millis": 500 }"#])?;
    let status = cli.start(&["status", "silent"])?;
    tasks(&demo, 1).await?;
    let (_connection, _) = silent.accept().await?;
    first.kill()?;

    // A call that may have run is not repeated.
    let call = call.finish(TIMEOUT).await?;
    assert_eq!(call.code, Some(1), "{}", call.stderr);
    assert!(call.stderr.contains("may or may not have run"), "{}", call.stderr);
    // A read-only request is repeated, with the command's own engine or another holder's.
    let (_again, _) = tokio::time::timeout(TIMEOUT, silent.accept())
        .await
        .context("the status command did not connect again")??;
    assert!(socket(&desktop).exists());
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(0));
    drop(silent);
    drop((_connection, _again));
    let status = status.finish(Duration::from_secs(60)).await?;
    assert_eq!(status.code, Some(4), "{}", status.stderr);
    Ok(())
}

#[tokio::test]
async fn sixteen_commands_at_once_cost_one_refresh() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let demo = signed_in(&cli).await?;
    for expiry in 1..=3 {
        demo.revoke_access_tokens();
        let commands = (0..16).map(|number| {
            let arguments: &[&str] = if number % 2 == 0 {
                &["tools", "demo"]
            } else {
                &["call", "demo", "search_pages", r#"{ "query": "tea" }"#]
            };
            cli.run(arguments)
        });
        for output in try_join_all(commands).await? {
            assert_eq!(output.code, Some(0), "{}", output.stderr);
        }
        assert_eq!(demo.token_requests("refresh_token"), expiry);
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_goes_to_the_store_of_the_running_usher() -> Result<()> {
    use std::io::Write;
    use std::process::Stdio;

    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let _demo = signed_in(&cli).await?;
    let _first = holder(&cli).await?;
    // No store is chosen.
    let mut command = desktop.command(usher_tests::paths::usher()?);
    command.args(["secret", "set", "corp"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = command.spawn()?;
    child.stdin.take().context("no stdin")?.write_all(b"hush\n")?;
    assert!(tokio::task::spawn_blocking(move || child.wait()).await??.success());
    let listed = cli.run(&["secret", "list", "--json"]).await?;
    assert_eq!(serde_json::from_str::<Value>(&listed.stdout)?, serde_json::json!(["corp"]));
    Ok(())
}

#[tokio::test]
async fn other_paths_are_refused() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let _demo = signed_in(&cli).await?;
    let _first = holder(&cli).await?;
    let other = desktop.folder("home").join("other.json");
    std::fs::write(&other, r#"{ "mcpServers": {} }"#)?;
    let refused = cli.run(&["status", "--config", &other.display().to_string()]).await?;
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("already running with other paths"), "{}", refused.stderr);
    Ok(())
}

#[tokio::test]
async fn each_command_gets_the_questions_of_its_own_call() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    let _demo = signed_in(&cli).await?;
    let _first = holder(&cli).await?;
    let commands = (0..4).map(|_| cli.run(&["call", "demo", "ask_back"]));
    for output in try_join_all(commands).await? {
        // A test is not interactive, so each command declines once.
        assert_eq!(
            (output.code, output.stdout.as_str()),
            (Some(0), "Declined. No tea ordered.\n"),
            "{}",
            output.stderr
        );
        assert_eq!(output.stderr.matches("asks:").count(), 1, "{}", output.stderr);
        assert!(!output.stderr.contains("error:"), "{}", output.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_shell_without_a_session_works_through_the_engine_of_the_session() -> Result<()> {
    let desktop = headless().await?;
    let cli = with_file_store(&desktop);
    // Like cron, a container or SSH: another runtime folder, but the same grants.
    let elsewhere = with_file_store(&desktop).env("XDG_RUNTIME_DIR", "");
    let demo = signed_in(&cli).await?;
    let search = ["call", "demo", "search_pages", r#"{ "query": "tea" }"#];
    for (number, (first, second)) in [(&cli, &elsewhere), (&elsewhere, &cli)].into_iter().enumerate() {
        let mut held = holder(first).await?;
        assert_eq!(first.run(&search).await?.code, Some(0));
        let connections_before = connections(&demo);
        demo.revoke_access_tokens();
        let output = second.run(&search).await?;
        assert_eq!(output.code, Some(0), "{}", output.stderr);
        assert_eq!(connections(&demo), connections_before, "a second engine ran");
        assert_eq!(demo.token_requests("refresh_token"), number + 1);
        held.interrupt()?;
        assert_eq!(held.finish(TIMEOUT).await?.code, Some(5));
    }
    Ok(())
}
