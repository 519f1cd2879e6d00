//! The log of a local program in the window and on the command line.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use usher_tests::{Cli, Desktop, Page, Window};

const TOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/tool.sh");

#[tokio::test]
async fn the_window_and_the_command_show_the_same_log() -> Result<()> {
    let desktop = Desktop::start().await?;
    // More lines than the list shows at once, with the newest at the end.
    let script =
        format!("#!/bin/sh\nseq -f 'line %g of the log' 40 >&2\necho ready >&2\nexec '{TOOL}' quiet\n");
    let program = desktop.install_script("talkative", &script)?;
    let entry = json!({ "type": "stdio", "command": program, "args": [] });
    desktop.write_config(&json!({ "mcpServers": { "tool": entry } }).to_string())?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.press_to_see(&Page::id("program-approve"), &Page::status("connected")).await?;

    page.press_to_see(&Page::id("tab-details"), &Page::id("program-log")).await?;
    let shown = page.read_until(&Page::id("log-lines"), "ready").await?;
    page.screenshot("program-log").await?;
    let expected: Vec<_> = (1..=40).map(|number| format!("line {number} of the log")).collect();
    let lines: Vec<_> = shown.lines().collect();
    let (last, others) = lines.split_last().context("the log is empty")?;
    ensure!(*last == "ready" && others == expected, "{shown}");

    let cli = Cli::new(&desktop);
    let printed = cli.succeed(&["logs", "tool"]).await?;
    ensure!(printed.lines().eq(lines.iter().copied()), "{printed}");
    Ok(())
}
