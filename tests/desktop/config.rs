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

#[tokio::test]
async fn a_first_run_shows_the_gallery_and_writes_examples_that_the_demo_replaces() -> Result<()> {
    let desktop = Desktop::start().await?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see(&Page::id("gallery")).await?;
    let file = desktop.config_file();
    let written = std::fs::read_to_string(&file)?;
    assert_eq!(written.matches("\"disabled\": true").count(), 6, "five examples and a comment: {written}");
    assert!(page.find_visible(&Page::id("server-example-http")).await?.is_none());
    page.press_to_see(&Page::id("try-demo"), &Page::id("server-demo")).await?;
    let with_demo = std::fs::read_to_string(&file)?;
    assert_eq!(with_demo.matches("\"disabled\": true").count(), 5, "{with_demo}");
    assert!(with_demo.contains("// The demo needs no account."), "{with_demo}");
    Ok(())
}

#[tokio::test]
async fn an_entry_with_an_error_is_shown_with_its_line_and_the_others_run() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let broken = "{ \"mcpServers\": {\n  \"broken\": { \"type\": \"http\" },\n  \"notes\": { \"type\": \"http\", \"url\": \"URL\" } } }";
    desktop.write_config(&broken.replace("URL", demo.url().as_str()))?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.press_to_see(&Page::id("server-notes"), &Page::status("needs_sign_in")).await?;
    page.press_to_see(&Page::id("server-broken"), &Page::status("failed")).await?;
    let error = page.read(&Page::id("error-message")).await?;
    assert!(error.contains("mcp.json, line 2, column 3: this server has no `url`"), "{error}");
    page.see(&Page::id("config-open")).await?;
    assert!(page.find_visible(&Page::id("config-error")).await?.is_none());

    // The bar says what the repair changed.
    let repaired = broken.replace("\"type\": \"http\" }", "\"type\": \"http\", \"url\": \"URL\" }");
    desktop.write_config(&repaired.replace("URL", demo.url().as_str()))?;
    page.read_until(&Page::id("config-reloaded"), "changed: broken").await?;
    page.press_to_see(&Page::id("server-broken"), &Page::status("needs_sign_in")).await?;
    Ok(())
}
