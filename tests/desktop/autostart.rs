//! Start at login: the switch in Settings, the autostart entry that it creates, and the start by that entry.

use std::path::PathBuf;

use anyhow::{Context, Result};
use usher_tests::wait::until_ready;
use usher_tests::{Desktop, LaunchedApp, Page, TrayHost, Window, Windows, paths};

use crate::support::TITLE;

/// Selectors of the switch in each state.
const ON: &str = "[data-testid=\"autostart\"]:checked";
const OFF: &str = "[data-testid=\"autostart\"]:not(:checked)";

/// The path of the autostart entry (Desktop Application Autostart Specification).
fn entry(desktop: &Desktop) -> PathBuf {
    desktop.folder("config").join("autostart/dev.usher.desktop.desktop")
}

/// Opens Settings from another page, so that the switch's state is read again.
async fn open_settings(page: &Page) -> Result<()> {
    page.press_to_see(&Page::id("add-service"), &Page::id("gallery")).await?;
    page.press_to_see(&Page::id("settings"), &Page::id("autostart")).await
}

#[tokio::test]
async fn the_switch_creates_an_entry_that_starts_the_app_hidden_at_login() -> Result<()> {
    let desktop = Desktop::start().await?;
    let entry = entry(&desktop);
    let tray = TrayHost::start(desktop.bus()?).await?;
    let windows = Windows::connect(desktop.display()?)?;
    let window = Window::open(&desktop).await?;
    open_settings(window.page()).await?;
    window.page().see(OFF).await?;
    assert!(!entry.exists(), "the entry exists before the switch was turned on");
    window.page().press_to_see(&Page::id("autostart"), ON).await?;
    let text = std::fs::read_to_string(&entry)?;
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec=")).context("no Exec line")?;
    assert_eq!(exec, format!("{} --hidden", paths::app()?.display()));
    tray.click("Quit Usher").await?;
    LaunchedApp::wait_until_gone(&desktop).await?;
    drop(window);

    // The next login. Sessions use the same library as `gio launch` to start such entries.
    let started = desktop.run("gio", &["launch", &entry.display().to_string()]).await?;
    assert!(started, "gio could not launch the entry");
    let app = LaunchedApp::wait(&desktop).await?;
    tray.see_icon("idle").await?;
    assert_eq!(windows.find(TITLE)?, None, "the app did not start hidden");
    tray.click("Quit Usher").await?;
    LaunchedApp::wait_until_gone(&desktop).await?;
    drop(app);

    let window = Window::open(&desktop).await?;
    open_settings(window.page()).await?;
    window.page().see(ON).await?;
    window.page().press_to_see(&Page::id("autostart"), OFF).await?;
    assert!(!entry.exists());
    Ok(())
}

#[tokio::test]
async fn the_switch_reflects_outside_changes_to_the_entry_and_repairs_it() -> Result<()> {
    let desktop = Desktop::start().await?;
    let entry = entry(&desktop);
    let window = Window::open(&desktop).await?;
    let page = window.page();
    open_settings(page).await?;
    page.press_to_see(&Page::id("autostart"), ON).await?;
    let ours = std::fs::read_to_string(&entry)?;

    // The keys that KDE and GNOME write to switch an entry off.
    for off in ["Hidden=true\n", "X-GNOME-Autostart-enabled=false\n"] {
        std::fs::write(&entry, format!("{ours}{off}"))?;
        open_settings(page).await?;
        page.see(OFF).await.with_context(|| format!("after {off}"))?;
        page.press_to_see(&Page::id("autostart"), ON).await?;
        assert_eq!(std::fs::read_to_string(&entry)?, ours);
    }

    std::fs::remove_file(&entry)?;
    open_settings(page).await?;
    page.see(OFF).await?;
    page.press(&Page::id("autostart")).await?;
    until_ready("the entry to exist again", || Ok(entry.exists().then_some(()))).await?;
    page.see(ON).await?;
    Ok(())
}
