//! Usher in the tray, on a desktop that has one, has none, or has one for a while.

use std::time::Duration;

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until};
use usher_tests::{
    App, Browser, Desktop, NotificationServer, Page, StartedBySystem, TrayHost, Window, Windows, walk,
};

use crate::people::write_config_with;

/// How long a person waits for a program to end.
const QUITS_WITHIN: Duration = Duration::from_secs(2);
const TITLE: &str = "Usher";

#[tokio::test]
async fn closing_keeps_the_app_in_the_tray_and_opening_makes_the_window_anew() -> Result<()> {
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let notifications = NotificationServer::start(desktop.bus()?).await?;
    let windows = Windows::of(desktop.display()?)?;
    let mut app = App::start(&desktop, &[])?;
    let window = windows.see(TITLE).await?;
    tray.see("well").await?;

    windows.close(window)?;
    windows.see_gone(TITLE).await?;
    notifications.see("still running in the tray").await?;
    app.expect_running()?;

    tray.click("Open Usher").await?;
    let window = windows.see(TITLE).await?;
    windows.close(window)?;
    windows.see_gone(TITLE).await?;

    let mut second = App::start(&desktop, &[])?;
    assert!(second.ended().await?.0.success());
    let window = windows.see(TITLE).await?;
    windows.close(window)?;
    windows.see_gone(TITLE).await?;

    tray.click("Quit Usher").await?;
    let (status, took) = app.ended().await?;
    assert!(status.success(), "{status}: {}", app.log());
    assert!(took < QUITS_WITHIN, "it took {took:?}");
    assert_eq!(notifications.shown().len(), 1, "it was said more than once");
    assert_eq!(tray.icons(), 1);
    Ok(())
}

#[tokio::test]
async fn without_a_tray_closing_quits() -> Result<()> {
    let desktop = Desktop::start().await?;
    let notifications = NotificationServer::start(desktop.bus()?).await?;
    let windows = Windows::of(desktop.display()?)?;
    let mut app = App::start(&desktop, &[])?;
    let window = windows.see(TITLE).await?;
    windows.close(window)?;
    let (status, took) = app.ended().await?;
    assert!(status.success(), "{status}: {}", app.log());
    assert!(took < QUITS_WITHIN, "it took {took:?}");
    assert_eq!(notifications.shown(), []);
    Ok(())
}

#[tokio::test]
async fn a_hidden_start_shows_no_window_while_there_is_a_tray() -> Result<()> {
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let windows = Windows::of(desktop.display()?)?;
    let mut app = App::start(&desktop, &["--hidden"])?;
    tray.see("well").await?;
    assert_eq!(windows.find(TITLE)?, None);

    // Another login's start of what runs already is no wish to see it.
    let mut second = App::start(&desktop, &["--hidden"])?;
    assert!(second.ended().await?.0.success());
    assert_eq!(windows.find(TITLE)?, None);

    // Without its tray the app would be out of reach.
    tray.end().await?;
    windows.see(TITLE).await?;
    let again = TrayHost::start(desktop.bus()?).await?;
    again.see("well").await?;
    let window = windows.see(TITLE).await?;
    windows.close(window)?;
    windows.see_gone(TITLE).await?;
    app.expect_running()?;
    again.click("Quit Usher").await?;
    assert!(app.ended().await?.0.success());
    Ok(())
}

#[tokio::test]
async fn everything_is_paused_and_goes_on_from_the_tray() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let mut browser = Browser::install(&desktop)?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let mut app = App::start(&desktop, &["--hidden"])?;
    tray.click("Sign in to").await?;
    walk::consent(&mut browser).await?.press("#allow").await?;
    tray.see("well").await?;
    tray.see_line(": connected").await?;

    tray.click("Pause all").await?;
    tray.see_line(": paused").await?;
    tray.click("Resume all").await?;
    tray.see_line(": connected").await?;
    assert_eq!(browser.opened().len(), 1);
    tray.click("Quit Usher").await?;
    assert!(app.ended().await?.0.success());
    Ok(())
}

#[tokio::test]
async fn a_services_line_leads_to_its_page_in_the_window_that_is_there_and_in_a_new_one() -> Result<()> {
    let in_sight = |name: &str| format!("{}[aria-current=\"page\"]", Page::id(&format!("server-{name}")));
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let windows = Windows::of(desktop.display()?)?;
    let off = r#"{ "type": "http", "url": "https://mcp.example.com/mcp", "disabled": true }"#;
    desktop.write_config(&format!(r#"{{ "mcpServers": {{ "first": {off}, "second": {off} }} }}"#))?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see(&in_sight("first")).await?;

    tray.click("second: off").await?;
    page.see(&in_sight("second")).await?;

    let old = page.session().window().await?;
    windows.close(windows.see(TITLE).await?)?;
    windows.see_gone(TITLE).await?;
    tray.click("second: off").await?;
    let new = until("the window to be made anew", PATIENCE, || async {
        Ok(page.session().windows().await?.into_iter().find(|window| *window != old))
    })
    .await?;
    page.session().switch_to_window(new).await?;
    page.see(&in_sight("second")).await?;
    Ok(())
}

#[tokio::test]
async fn a_click_that_opens_no_browser_leads_to_the_services_page_and_the_reason() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let off = r#"{ "type": "http", "url": "https://mcp.example.com/mcp", "disabled": true }"#;
    let notes = format!(r#"{{ "type": "http", "url": "{}" }}"#, demo.url());
    desktop.write_config(&format!(r#"{{ "mcpServers": {{ "first": {off}, "notes": {notes} }} }}"#))?;
    for launcher in ["xdg-open", "gio"] {
        desktop.install_script(launcher, "#!/bin/sh\nexit 3\n")?;
    }
    let window = Window::open(&desktop).await?;

    tray.click("Sign in to").await?;
    let noticed = window.page().read_until(&Page::id("notice"), "The browser could not be opened.").await;
    noticed.with_context(|| window.log())?;
    window.page().see(&format!("{}[aria-current=\"page\"]", Page::id("server-notes"))).await?;
    tray.see_line("open the browser").await?;
    Ok(())
}

#[tokio::test]
async fn quitting_in_the_middle_of_a_sign_in_is_quick_and_costs_it_nothing() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let mut browser = Browser::install(&desktop)?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let mut app = App::start(&desktop, &["--hidden"])?;
    tray.click("Sign in to").await?;
    let consent = walk::consent(&mut browser).await?;
    tray.see_line("waiting for your browser").await?;
    tray.click("Quit Usher").await?;
    let (status, took) = app.ended().await?;
    assert!(status.success(), "{status}: {}", app.log());
    assert!(took < QUITS_WITHIN, "it took {took:?}");

    // The answer starts Usher, which goes on where it was.
    consent.press("#allow").await?;
    let started = StartedBySystem::wait(&desktop).await?;
    tray.see_line(": connected").await?;
    assert_eq!(browser.opened().len(), 1);
    started.end(&desktop).await
}
