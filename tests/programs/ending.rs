//! The end of programs: with their connection, with the engine, and with a killed Usher.

use std::collections::BTreeSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use usher_api::{ServerId, Status};
use usher_tests::wait::until_ready;
use usher_tests::{Cli, Desktop, DesktopOptions};

use crate::{Person, config, group_runs, id, tool, until_gone};

#[tokio::test]
async fn a_program_ends_with_its_connection() -> Result<()> {
    // The first ends with its input, the second has children, and the third ignores the end of its input and SIGTERM.
    for argument in ["quiet", "family", "stubborn"] {
        let person = Person::approved(&tool(argument)).await?;
        person.until_connected().await?;
        let group = person.pid().await?;
        ensure!(group_runs(group));
        person.engine.disconnect(&id()).await?;
        let took = until_gone(group).await.context(argument)?;
        println!("{argument}: gone after {took:?}");
        ensure!(matches!(person.view()?.status, Status::Disabled));
        person.engine.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn programs_end_with_the_engine() -> Result<()> {
    for argument in ["quiet", "family", "stubborn"] {
        let person = Person::approved(&tool(argument)).await?;
        person.until_connected().await?;
        let group = person.pid().await?;
        person.engine.stop().await;
        until_gone(group).await.context(argument)?;
    }
    Ok(())
}

#[tokio::test]
async fn programs_end_when_usher_is_killed() -> Result<()> {
    for argument in ["quiet", "family", "stubborn"] {
        let desktop = Desktop::start_with(DesktopOptions::HEADLESS).await?;
        desktop.write_config(&config(&tool(argument)))?;
        let cli = Cli::with_secret_file(desktop);
        let approved = cli.in_terminal(&["approve", "tool"], "y").await?;
        ensure!(approved.code == Some(0), "{approved:?}");
        let holder = cli.start(&["call", "tool", "wait"])?;
        // Without this wait, the next command could become the holder, and the kill would end only a client.
        let socket = cli.desktop.engine_socket();
        until_ready("an engine", || Ok(socket.exists().then_some(()))).await?;
        let shown = cli.succeed(&["call", "tool", "show"]).await?;
        let group = shown.split(' ').next().context("no process id")?.trim().parse()?;
        ensure!(group_runs(group), "{argument} does not run");
        holder.kill_switch().fire();
        let took = until_gone(group).await.context(argument)?;
        println!("{argument}: gone after {took:?}");
    }
    Ok(())
}

/// The open files of this process.
fn descriptors() -> Result<BTreeSet<PathBuf>> {
    let entries = std::fs::read_dir("/proc/self/fd")?;
    Ok(entries.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()).collect())
}

/// The children of this process, including those that have ended but were not waited for.
fn children() -> Result<Vec<u32>> {
    let tasks = std::fs::read_dir("/proc/self/task")?;
    let lists = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    Ok(lists
        .flat_map(|list| list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect())
}

#[tokio::test]
async fn a_thousand_starts_leave_nothing_behind() -> Result<()> {
    const SERVERS: usize = 10;
    let folder = tempfile::tempdir()?;
    let entries: serde_json::Map<_, _> =
        (0..SERVERS).map(|number| (format!("s{number}"), tool("quiet"))).collect();
    std::fs::write(folder.path().join("mcp.json"), json!({ "mcpServers": entries }).to_string())?;
    let before = (descriptors()?.len(), children()?);
    let engine = usher_engine::Engine::start(usher_tests::engine::options(folder.path())).await?;
    let ids: Vec<ServerId> = (0..SERVERS).map(|number| ServerId(format!("s{number}"))).collect();
    for id in &ids {
        let program = engine.server(id).and_then(|view| view.program).context("not a program")?;
        engine.approve(id, program.launch.digest).await?;
    }
    let mut files = None;
    for round in 0..1000 / SERVERS {
        usher_tests::engine::until_connected(&engine).await.with_context(|| format!("round {round}"))?;
        // The files of the first round exist for as long as the engine runs.
        files.get_or_insert(std::fs::read_dir(folder.path().join("state"))?.count());
        for id in &ids {
            engine.connect(id).await?;
        }
    }
    usher_tests::engine::until_connected(&engine).await?;
    ensure!(files == Some(std::fs::read_dir(folder.path().join("state"))?.count()), "files were left");
    engine.stop().await;
    drop(engine);
    // The guardian ends with the last task of the engine.
    until_ready("the end of every process", || Ok((children()? == before.1).then_some(()))).await?;
    ensure!(descriptors()?.len() <= before.0 + 2, "descriptors were left");
    Ok(())
}
