//! Errors in `mcp.json` at the start, and edits while the app is running.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Desktop, Page, Window};

use crate::support::configure_notes;

#[tokio::test]
async fn a_broken_file_is_shown_with_its_line_and_never_overwritten() -> Result<()> {
    let desktop = Desktop::start().await?;
    desktop.write_config(Desktop::BROKEN_CONFIG)?;
    let window = Window::open(&desktop).await?;
    let error = window.page().read(&Page::id("config-error")).await?;
    assert!(error.contains("line 2, column 17"), "{error}");
    assert_eq!(std::fs::read_to_string(desktop.config_file())?, Desktop::BROKEN_CONFIG);
    Ok(())
}

#[tokio::test]
async fn an_edit_is_applied_and_a_broken_edit_keeps_the_last_valid_servers() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("gallery")).await?;

    configure_notes(&desktop, &demo)?;
    window.page().see(&Page::id("server-notes")).await?;
    desktop.write_config(Desktop::BROKEN_CONFIG)?;
    window.page().see(&Page::id("config-error")).await?;
    window.page().see(&Page::id("server-notes")).await?;
    configure_notes(&desktop, &demo)?;
    window.page().see_gone(&Page::id("config-error")).await?;
    Ok(())
}
