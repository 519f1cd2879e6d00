//! The question whether a local program may run.

use anyhow::{Result, ensure};
use serde_json::{Value, json};
use usher_tests::{Desktop, Page, Window};

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
    page.screenshot("program-exited").await
}

fn config(arguments: &[&str]) -> String {
    let command = concat!(env!("CARGO_MANIFEST_DIR"), "/programs/tool.sh");
    let entry: Value = json!({ "type": "stdio", "command": command, "args": arguments });
    json!({ "mcpServers": { "tool": entry } }).to_string()
}
