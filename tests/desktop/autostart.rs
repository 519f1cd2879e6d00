//! The start at login: the switch in Settings, the entry that it makes, and what a session does with that.

use std::path::PathBuf;

use anyhow::{Context, Result};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{Desktop, Page, StartedBySystem, TrayHost, Window, Windows, place};

/// The switch, when it says so.
const ON: &str = "[data-testid=\"autostart\"]:checked";
const OFF: &str = "[data-testid=\"autostart\"]:not(:checked)";

/// Where sessions look (Desktop Application Autostart Specification).
fn entry(desktop: &Desktop) -> PathBuf {
    desktop.folder("config").join("autostart/dev.usher.desktop.desktop")
}

/// Opens Settings, coming from elsewhere in the window.
async fn open_settings(page: &Page) -> Result<()> {
    page.press(&Page::id("add-service")).await?;
    page.see(&Page::id("gallery")).await?;
    page.press(&Page::id("settings")).await?;
    page.see(&Page::id("autostart")).await?;
    Ok(())
}

#[tokio::test]
async fn the_switch_makes_an_entry_by_which_a_session_starts_the_app_hidden() -> Result<()> {
    let desktop = Desktop::start().await?;
    let entry = entry(&desktop);
    let tray = TrayHost::start(desktop.bus()?).await?;
    let windows = Windows::of(desktop.display()?)?;
    let window = Window::open(&desktop).await?;
    open_settings(window.page()).await?;
    window.page().see(OFF).await?;
    assert!(!entry.exists(), "nobody asked for it");
    window.page().press(&Page::id("autostart")).await?;
    window.page().see(ON).await?;
    let text = std::fs::read_to_string(&entry)?;
    let exec = text.lines().find_map(|line| line.strip_prefix("Exec=")).context("it has no Exec")?;
    assert_eq!(exec, format!("{} --hidden", place::app()?.display()));
    tray.click("Quit Usher").await?;
    StartedBySystem::wait_until_gone(&desktop).await?;
    drop(window);

    // The next login. Sessions start such entries by the same library.
    let mut session = desktop.command("gio");
    let started = session.arg("launch").arg(&entry).status().context("cannot run gio")?;
    assert!(started.success(), "the session could not start it");
    let app = StartedBySystem::wait(&desktop).await?;
    tray.see("well").await?;
    assert_eq!(windows.find("Usher")?, None, "it was to start hidden");
    tray.click("Quit Usher").await?;
    StartedBySystem::wait_until_gone(&desktop).await?;
    drop(app);

    let window = Window::open(&desktop).await?;
    open_settings(window.page()).await?;
    window.page().see(ON).await?;
    window.page().press(&Page::id("autostart")).await?;
    window.page().see(OFF).await?;
    assert!(!entry.exists());
    Ok(())
}

#[tokio::test]
async fn what_others_do_to_the_entry_is_shown_as_it_is_and_the_switch_sets_it_right() -> Result<()> {
    let desktop = Desktop::start().await?;
    let entry = entry(&desktop);
    let window = Window::open(&desktop).await?;
    let page = window.page();
    open_settings(page).await?;
    page.press(&Page::id("autostart")).await?;
    page.see(ON).await?;
    let ours = std::fs::read_to_string(&entry)?;

    // By KDE's settings, and by GNOME's.
    for off in ["Hidden=true\n", "X-GNOME-Autostart-enabled=false\n"] {
        std::fs::write(&entry, format!("{ours}{off}"))?;
        open_settings(page).await?;
        page.see(OFF).await.with_context(|| format!("after {off}"))?;
        page.press(&Page::id("autostart")).await?;
        page.see(ON).await?;
        assert_eq!(std::fs::read_to_string(&entry)?, ours);
    }

    std::fs::remove_file(&entry)?;
    open_settings(page).await?;
    page.see(OFF).await?;
    page.press(&Page::id("autostart")).await?;
    until_ready("the entry to be there again", PATIENCE, || Ok(entry.exists().then_some(()))).await?;
    page.see(ON).await?;
    Ok(())
}
