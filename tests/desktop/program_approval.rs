//! The question whether a local program may run.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use usher_tests::{Cli, Desktop, Page, Window};

const TOOL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/tool.sh");

#[tokio::test]
async fn a_program_runs_only_after_a_click_and_again_after_each_change() -> Result<()> {
    let desktop = Desktop::start().await?;
    desktop.write_config(&config(&["quiet"]))?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    let card = page.read_until(&Page::id("program-approval"), "Approve and start").await?;
    ensure!(
        card.contains("tool.sh") && card.contains("quiet") && card.contains("your home folder"),
        "{card}"
    );
    page.screenshot("program-approval").await?;
    page.press(&Page::id("program-approve")).await?;
    page.see("[data-testid=service][data-state=connected]").await?;

    desktop.write_config(&config(&["quiet", "--all-files"]))?;
    let card = page.read_until(&Page::id("program-approval"), "--all-files").await?;
    ensure!(card.contains("has changed") && card.contains("Previously approved"), "{card}");
    page.screenshot("program-changed").await?;
    page.press(&Page::id("program-turn-off")).await?;
    page.see("[data-testid=service][data-state=disabled]").await?;

    desktop.write_config(&config(&["ends"]))?;
    page.read_until(&Page::id("program-approval"), "ends").await?;
    page.press(&Page::id("program-approve")).await?;
    page.read_until("[data-testid=service][data-state=reconnecting]", "Traceback: no key").await?;
    page.screenshot("program-exited").await?;

    // The app has not noticed the new entry when the command approves it.
    let cli = Cli::new(&desktop);
    let added = cli.in_terminal(&["add", "second", "--", TOOL, "quiet"], "").await?;
    ensure!(added.code == Some(0) && added.stdout.contains("Added second."), "{added:?}");
    let tools = cli.succeed(&["tools", "second"]).await?;
    ensure!(tools.contains("show"), "{tools}");
    Ok(())
}

fn config(arguments: &[&str]) -> String {
    let entry: Value = json!({ "type": "stdio", "command": TOOL, "args": arguments });
    json!({ "mcpServers": { "tool": entry } }).to_string()
}
