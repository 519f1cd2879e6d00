//! `usher add NAME -- COMMAND`, `usher approve` and the tools of a program.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use usher_tests::wait::until_ready;
use usher_tests::{Cli, Desktop, DesktopOptions};

const TOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/tool.sh");

async fn headless() -> Result<Cli<Desktop>> {
    Ok(Cli::with_secret_file(Desktop::start_with(DesktopOptions::HEADLESS).await?))
}

#[tokio::test]
async fn a_person_who_adds_a_program_approves_it() -> Result<()> {
    let cli = headless().await?;
    let added = cli.in_terminal(&["add", "tool", "--", TOOL, "quiet"], "").await?;
    ensure!(added.code == Some(0) && added.stdout.contains("Added tool."), "{added:?}");
    let tools = cli.succeed(&["tools", "tool"]).await?;
    ensure!(tools.contains("show") && tools.contains("end"), "{tools}");
    Ok(())
}

#[tokio::test]
async fn a_script_approves_nothing() -> Result<()> {
    let cli = headless().await?;
    let added = cli.succeed(&["add", "tool", "--", TOOL, "quiet"]).await?;
    ensure!(added.contains("usher approve tool"), "{added}");
    let tools = cli.run(&["tools", "tool"]).await?;
    ensure!(tools.code == Some(3) && tools.stderr.contains("not approved"), "{tools:?}");
    let approved = cli.run(&["approve", "tool"]).await?;
    ensure!(approved.code == Some(2) && approved.stderr.contains("terminal"), "{approved:?}");

    let declined = cli.in_terminal(&["approve", "tool"], "n").await?;
    ensure!(declined.code == Some(5) && declined.stdout.contains(TOOL), "{declined:?}");
    ensure!(cli.run(&["tools", "tool"]).await?.code == Some(3));
    let approved = cli.in_terminal(&["approve", "tool"], "y").await?;
    ensure!(approved.code == Some(0), "{approved:?}");
    cli.succeed(&["tools", "tool"]).await?;
    Ok(())
}

#[tokio::test]
async fn a_program_that_ends_at_once_is_explained() -> Result<()> {
    let cli = headless().await?;
    cli.in_terminal(&["add", "tool", "--", TOOL, "ends"], "").await?;
    let tools = cli.run(&["tools", "tool"]).await?;
    ensure!(tools.code == Some(5) && tools.stderr.contains("exit code 3"), "{tools:?}");
    Ok(())
}

#[tokio::test]
async fn the_log_of_a_program_is_printed() -> Result<()> {
    let cli = headless().await?;
    cli.in_terminal(&["add", "tool", "--", TOOL, "ends"], "").await?;
    ensure!(cli.succeed(&["logs", "tool"]).await?.trim_end() == "Traceback: no key");
    let lines: Vec<String> = serde_json::from_str(&cli.succeed(&["logs", "tool", "--json"]).await?)?;
    ensure!(lines == ["Traceback: no key"], "{lines:?}");

    cli.in_terminal(&["add", "quiet", "--", TOOL, "quiet"], "").await?;
    ensure!(cli.succeed(&["logs", "quiet"]).await?.contains("has written nothing"));
    cli.succeed(&["disable", "quiet"]).await?;
    let disabled = cli.run(&["logs", "quiet"]).await?;
    ensure!(disabled.code != Some(0) && disabled.stderr.contains("usher enable quiet"), "{disabled:?}");
    cli.succeed(&["add", "unapproved", "--", TOOL, "quiet"]).await?;
    let unapproved = cli.run(&["logs", "unapproved"]).await?;
    ensure!(unapproved.code == Some(3) && unapproved.stderr.contains("not approved"), "{unapproved:?}");
    cli.succeed(&["add", "service", "http://127.0.0.1:1/mcp"]).await?;
    let refused = cli.run(&["logs", "service"]).await?;
    ensure!(refused.code == Some(6) && refused.stderr.contains("is not a program"), "{refused:?}");
    Ok(())
}

#[tokio::test]
async fn the_lines_of_a_program_that_another_command_starts_are_printed_at_once() -> Result<()> {
    let cli = headless().await?;
    // A runner such as npx has minutes for its download.
    let folder = tempfile::tempdir()?;
    let runner = folder.path().join("npx");
    write_script(&runner, &format!("exec '{TOOL}' quiet"))?;
    cli.in_terminal(&["add", "tool", "--", runner.to_str().context("a path")?], "").await?;
    write_script(&runner, "echo Downloading >&2; exec sleep 600")?;

    let _starting = cli.start(&["tools", "tool"])?;
    let socket = cli.desktop.engine_socket();
    until_ready("the engine of the other command", || Ok(socket.exists().then_some(()))).await?;
    ensure!(cli.succeed(&["logs", "tool"]).await?.trim_end() == "Downloading");
    Ok(())
}

fn write_script(path: &Path, commands: &str) -> Result<()> {
    fs::write(path, format!("#!/bin/sh\n{commands}\n"))?;
    Ok(fs::set_permissions(path, Permissions::from_mode(0o700))?)
}
