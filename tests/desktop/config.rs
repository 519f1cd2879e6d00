//! A person's `mcp.json`, edited under the running app.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Desktop, Page, Window};

use crate::people::write_config_with;

const BROKEN: &str = "{\n  \"mcpServers\": {\n    \"notes\": { \"url\": \"http://127.0.0.1/mcp\" \n  }\n";

#[tokio::test]
async fn a_broken_file_is_shown_with_its_line_and_never_overwritten() -> Result<()> {
    let desktop = Desktop::start().await?;
    desktop.write_config(BROKEN)?;
    let window = Window::open(&desktop).await?;
    let said = window.page().read(&Page::id("config-error")).await?;
    assert!(said.contains("line 2, column 17"), "{said}");
    assert_eq!(std::fs::read_to_string(desktop.config_file())?, BROKEN);
    Ok(())
}

#[tokio::test]
async fn an_edit_is_taken_up_and_a_bad_one_leaves_what_was_good() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("gallery")).await?;

    write_config_with(&desktop, "notes", demo.url().as_str())?;
    window.page().see(&Page::id("server-notes")).await?;
    desktop.write_config(BROKEN)?;
    window.page().see(&Page::id("config-error")).await?;
    window.page().see(&Page::id("server-notes")).await?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    window.page().see_gone(&Page::id("config-error")).await?;
    Ok(())
}
