//! Several processes share one engine: the first one holds it, and the others join.

use std::borrow::Borrow;

use anyhow::{Context, Result};
use futures::future::try_join_all;
use serde_json::Value;
use tokio::net::TcpListener;
use usher_demo::{Demo, DemoOptions};
use usher_tests::consent::Decision;
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{Cli, Desktop, PipedProcess};

use crate::login::{add_demo, headless};

/// Starts a demo and adds it twice: as `demo`, which is signed in, and as `other`.
pub async fn signed_in() -> Result<(Cli<Desktop>, Demo)> {
    let cli = headless().await?;
    let demo = add_demo(&cli, DemoOptions::default()).await?;
    cli.succeed(&["add", "other", demo.url().as_str()]).await?;
    cli.sign_in("demo").await?;
    Ok((cli, demo))
}

/// Starts a sign-in that gets no callback, so that the command holds the engine until it is interrupted or
/// killed.
pub async fn holder(cli: &Cli<impl Borrow<Desktop>>) -> Result<PipedProcess> {
    let mut holder = cli.start(&["login", "other", "--no-browser"])?;
    holder.line().await?;
    Ok(holder)
}

/// Waits until this many tasks are running in the demo.
pub async fn see_tasks(demo: &Demo, count: usize) -> Result<()> {
    let what = format!("{count} tasks to be running");
    until_ready(&what, || Ok((demo.running_tasks() == count).then_some(()))).await
}

fn connections(demo: &Demo) -> usize {
    let discovers = |method: &Option<String>| method.as_deref() == Some("server/discover");
    demo.requests().iter().filter(|request| discovers(&request.mcp_method)).count()
}

#[tokio::test]
async fn a_second_command_uses_the_engine_of_the_first() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    let first = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 60, "millis": 50 }"#])?;
    see_tasks(&demo, 1).await?;
    let connections_before = connections(&demo);

    let status = cli.run(&["status", "demo", "--json"]).await?;
    assert_eq!(status.code, Some(0), "{}", status.stderr);
    let view: Value = serde_json::from_str(&status.stdout)?;
    assert_eq!(view["status"]["state"], "connected");
    let second = cli.run(&["call", "demo", "slow_task", r#"{ "steps": 3, "millis": 5 }"#]).await?;
    assert_eq!(second.code, Some(0), "{}", second.stderr);
    // A step may be skipped, because a later one replaces it.
    assert!(second.stderr.contains(" of 3"), "{}", second.stderr);
    assert!(!second.stderr.contains("of 60"), "progress of another command's call: {}", second.stderr);
    assert_eq!(connections(&demo), connections_before, "a second connection was made");
    assert_eq!(demo.running_tasks(), 1, "the first call has ended");

    let first = first.finish().await?;
    assert_eq!((first.code, first.stdout.as_str()), (Some(0), "Done: 60 steps.\n"), "{}", first.stderr);
    assert!(!cli.desktop.engine_socket().exists());
    Ok(())
}

#[tokio::test]
async fn a_command_signs_in_and_out_through_the_engine_of_another_command() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    let mut first = holder(&cli).await?;

    cli.succeed(&["logout", "demo"]).await?;
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(3));
    let login = cli.login("demo", Decision::Allow).await?;
    assert_eq!(login.code, Some(0), "{}", login.stderr);
    assert!(login.stdout.contains("Signed in to"), "{}", login.stdout);
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(0));
    assert_eq!(demo.token_requests("authorization_code"), 2);

    first.interrupt();
    assert_eq!(first.finish().await?.code, Some(5));
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(0), "the sign-in was lost");
    Ok(())
}

#[tokio::test]
async fn ctrl_c_cancels_a_call_in_the_holder() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    let _first = holder(&cli).await?;
    let mut call = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 100, "millis": 500 }"#])?;
    see_tasks(&demo, 1).await?;
    call.interrupt();
    let call = call.finish().await?;
    assert_ne!(call.code, Some(0));
    assert!(call.stderr.contains("cancelled"), "{}", call.stderr);
    see_tasks(&demo, 0).await
}

#[tokio::test]
async fn a_holder_finishes_the_call_of_another_command() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    let mut first = holder(&cli).await?;
    let second = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 40, "millis": 50 }"#])?;
    see_tasks(&demo, 1).await?;
    first.interrupt();
    let second = second.finish().await?;
    assert_eq!((second.code, second.stdout.as_str()), (Some(0), "Done: 40 steps.\n"), "{}", second.stderr);
    let first = first.finish().await?;
    assert_eq!(first.code, Some(5), "{}", first.stderr);
    assert!(first.stderr.contains("that depends on this one"), "{}", first.stderr);
    Ok(())
}

#[tokio::test]
async fn a_killed_holder_blocks_no_other_command() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    // A server that never responds, so that a command waits for it.
    let silent = TcpListener::bind("127.0.0.1:0").await?;
    let address = format!("http://{}/mcp", silent.local_addr()?);
    cli.succeed(&["add", "silent", &address]).await?;

    let first = holder(&cli).await?;
    let call = cli.start(&["call", "demo", "slow_task", r#"{ "steps": 100, "millis": 500 }"#])?;
    let status = cli.start(&["status", "silent"])?;
    see_tasks(&demo, 1).await?;
    let (_connection, _) = silent.accept().await?;
    drop(first);

    // A call that may have run is not repeated.
    let call = call.finish().await?;
    assert_eq!(call.code, Some(1), "{}", call.stderr);
    assert!(call.stderr.contains("may or may not have run"), "{}", call.stderr);
    // A read-only request is repeated, by the command's own engine or by another holder.
    let (_again, _) = tokio::time::timeout(TIMEOUT, silent.accept())
        .await
        .context("the status command did not connect again")??;
    assert!(cli.desktop.engine_socket().exists());
    assert_eq!(cli.run(&["tools", "demo"]).await?.code, Some(0));
    drop(silent);
    drop((_connection, _again));
    let status = status.finish().await?;
    assert_eq!(status.code, Some(4), "{}", status.stderr);
    Ok(())
}

#[tokio::test]
async fn sixteen_commands_at_once_cost_one_refresh() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    for expiry in 1..=3 {
        demo.revoke_access_tokens();
        let commands = (0..16).map(|number| {
            let arguments: &[&str] = if number % 2 == 0 {
                &["tools", "demo"]
            } else {
                &["call", "demo", "search_pages", r#"{ "query": "tea" }"#]
            };
            cli.succeed(arguments)
        });
        try_join_all(commands).await?;
        assert_eq!(demo.token_requests("refresh_token"), expiry);
    }
    Ok(())
}

#[tokio::test]
async fn a_secret_goes_to_the_store_of_the_running_usher() -> Result<()> {
    let (cli, _demo) = signed_in().await?;
    let _first = holder(&cli).await?;
    // This command chooses no store.
    let mut set = Cli::new(&cli.desktop).start(&["secret", "set", "corp"])?;
    set.write_line("hush").await?;
    assert_eq!(set.finish().await?.code, Some(0));
    let listed = cli.run(&["secret", "list", "--json"]).await?;
    let secrets = serde_json::from_str::<Value>(&listed.stdout)?;
    assert_eq!(secrets.as_array().map(Vec::len), Some(1), "{secrets}");
    assert_eq!((&secrets[0]["name"], &secrets[0]["state"]), (&"corp".into(), &"stored".into()), "{secrets}");
    assert_eq!(secrets[0]["origins"], serde_json::json!([]));
    Ok(())
}

#[tokio::test]
async fn a_command_with_other_paths_is_rejected() -> Result<()> {
    let (cli, _demo) = signed_in().await?;
    let _first = holder(&cli).await?;
    let other = cli.desktop.folder("home").join("other.json");
    std::fs::write(&other, r#"{ "mcpServers": {} }"#)?;
    let rejected = cli.run(&["status", "--config", &other.display().to_string()]).await?;
    assert_eq!(rejected.code, Some(1));
    assert!(rejected.stderr.contains("already running with other paths"), "{}", rejected.stderr);
    Ok(())
}

#[tokio::test]
async fn each_command_gets_the_questions_of_its_own_call() -> Result<()> {
    let (cli, _demo) = signed_in().await?;
    let _first = holder(&cli).await?;
    let commands = (0..4).map(|_| cli.run(&["call", "demo", "ask_back"]));
    for output in try_join_all(commands).await? {
        // A test is not interactive, so each command declines once.
        let printed = (output.code, output.stdout.as_str());
        assert_eq!(printed, (Some(0), "Declined. No tea ordered.\n"), "{}", output.stderr);
        assert_eq!(output.stderr.matches("asks:").count(), 1, "{}", output.stderr);
        assert!(!output.stderr.contains("error:"), "{}", output.stderr);
    }
    Ok(())
}

#[tokio::test]
async fn a_command_outside_the_session_uses_the_engine_of_the_session() -> Result<()> {
    let (cli, demo) = signed_in().await?;
    let session = Cli::with_secret_file(&cli.desktop);
    // As in cron, a container or SSH: a different runtime folder, but the same grants.
    let outside = Cli::with_secret_file(&cli.desktop).env("XDG_RUNTIME_DIR", "");
    let search = ["call", "demo", "search_pages", r#"{ "query": "tea" }"#];
    for (number, (first, second)) in [(&session, &outside), (&outside, &session)].into_iter().enumerate() {
        let mut held = holder(first).await?;
        first.succeed(&search).await?;
        let connections_before = connections(&demo);
        demo.revoke_access_tokens();
        second.succeed(&search).await?;
        assert_eq!(connections(&demo), connections_before, "a second engine connected to the demo");
        assert_eq!(demo.token_requests("refresh_token"), number + 1);
        held.interrupt();
        assert_eq!(held.finish().await?.code, Some(5));
    }
    Ok(())
}
