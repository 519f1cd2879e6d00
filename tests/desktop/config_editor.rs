//! The editor of `mcp.json`: errors while typing, saving, and a file that changes meanwhile.

use anyhow::{Context, Result, ensure};
use serde_json::json;
use thirtyfour::Key;
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Desktop, Page, Window, Windows};

use crate::support::TITLE;

/// The editable text.
const TEXT: &str = "[data-testid=config-text] .cm-content";

#[tokio::test]
async fn an_error_is_shown_at_its_line_and_a_saved_server_appears() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    let before = read_config(&desktop)?;

    open_editor(page).await?;
    let shown = page.read_until(TEXT, "mcpServers").await?;
    ensure!(shown.contains("example-http"), "{shown}");
    type_text(page, "{ \"mcpServers\": { \"notes\": { \"url\": oops } } }").await?;
    let problems = page.read_until(&Page::id("config-problems"), "Error on line 1").await?;
    ensure!(problems.contains("Unexpected word."), "{problems}");
    let marked = page.read(&format!("{TEXT} .cm-lintRange-error")).await?;
    ensure!(marked == "oops", "{marked}");
    page.screenshot("config-editor-error").await?;

    let valid = config("notes", demo.url().as_str());
    type_text(page, &valid).await?;
    page.read_until(&Page::id("config-status"), "No errors").await?;
    page.press_to_see(&Page::id("config-save"), &Page::id("config-diff")).await?;
    page.see("[data-testid=config-diff] .cm-deletedChunk").await?;
    page.screenshot("config-editor-comparison").await?;
    ensure!(read_config(&desktop)? == before, "the file was written before the person agreed");
    page.press(&Page::id("config-save-confirm")).await?;
    page.see(&Page::id("server-notes")).await?;
    page.read_until(&Page::id("config-reloaded"), "added: notes").await?;
    page.read_until(&Page::id("config-saved"), "Saved").await?;
    ensure!(read_config(&desktop)? == valid, "another text was saved");
    Ok(())
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_never_overwritten_unseen() -> Result<()> {
    let desktop = Desktop::start().await?;
    desktop.write_config(&config("notes", "http://127.0.0.1:9/mcp"))?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    open_editor(page).await?;
    page.read_until(TEXT, "notes").await?;
    let mine = config("mine", "http://127.0.0.1:9/mcp");
    type_text(page, &mine).await?;
    page.read_until(&Page::id("config-saved"), "Not saved").await?;

    let outside = config("theirs", "http://127.0.0.1:9/mcp");
    desktop.write_config(&outside)?;
    page.see(&Page::id("config-changed")).await?;
    page.see(&Page::id("server-theirs")).await?;
    page.screenshot("config-editor-changed").await?;
    page.press(&Page::id("config-show-changes")).await?;
    page.read_until(&Page::id("config-diff"), "theirs").await?;
    page.close_dialog(&Page::id("config-comparison")).await?;

    page.press(&Page::id("config-load")).await?;
    page.read_until(TEXT, "theirs").await?;
    page.press(&Page::id("config-bring-back")).await?;
    page.read_until(TEXT, "mine").await?;
    ensure!(read_config(&desktop)? == outside, "the file was written before the person agreed");
    page.press_to_see(&Page::id("config-save"), &Page::id("config-diff")).await?;
    page.press(&Page::id("config-save-confirm")).await?;
    page.see(&Page::id("server-mine")).await?;
    page.see_gone(&Page::id("server-theirs")).await?;
    ensure!(read_config(&desktop)? == mine, "another text was saved");
    Ok(())
}

#[tokio::test]
async fn a_window_with_an_unsaved_text_closes_only_after_a_question() -> Result<()> {
    let desktop = Desktop::start().await?;
    let windows = Windows::connect(desktop.display()?)?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    open_editor(page).await?;
    page.read_until(TEXT, "mcpServers").await?;
    type_text(page, "{ \"mcpServers\": {} }").await?;
    page.read_until(&Page::id("config-saved"), "Not saved").await?;

    windows.close(TITLE).await?;
    page.see(&Page::id("confirm")).await?;
    page.screenshot("config-editor-close").await?;
    page.press(&Page::id("remove-cancel")).await?;
    page.see_gone(&Page::id("confirm")).await?;
    page.press(&Page::id("settings")).await?;
    page.press_to_see(&Page::id("remove-cancel"), TEXT).await?;
    page.read_until(TEXT, "{ \"mcpServers\": {} }").await?;

    windows.close(TITLE).await?;
    // The window closes during the click, which WebDriver may report as an error.
    let _ = page.press(&Page::id("remove-confirm")).await;
    windows.see_gone(TITLE).await?;
    Ok(())
}

async fn open_editor(page: &Page) -> Result<()> {
    page.press_to_see(&Page::id("settings"), &Page::id("config-edit")).await?;
    page.press_to_see(&Page::id("config-edit"), TEXT).await
}

/// Selects the text of the editor, and types another one over it.
async fn type_text(page: &Page, text: &str) -> Result<()> {
    page.press(TEXT).await?;
    let editor = page.see(TEXT).await?;
    editor.send_keys(Key::Control + "a").await.context("cannot select the text")?;
    editor.send_keys(text).await.context("cannot type")
}

fn config(name: &str, url: &str) -> String {
    json!({ "mcpServers": { name: { "type": "http", "url": url } } }).to_string()
}

fn read_config(desktop: &Desktop) -> Result<String> {
    std::fs::read_to_string(desktop.config_file()).context("cannot read mcp.json")
}
