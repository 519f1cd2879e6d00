//! The app on a desktop with a tray, without one, and with one that disappears.

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::until;
use usher_tests::{
    App, Browser, Desktop, LaunchedApp, NotificationServer, Page, TrayHost, Window, Windows, steps,
};

use crate::support::{FullDesktop, SignedIn, TITLE, configure_notes, see_quick_exit};

#[tokio::test]
async fn closing_keeps_the_app_in_the_tray_and_opening_creates_a_new_window() -> Result<()> {
    let desktop = FullDesktop::start().await?;
    let FullDesktop { tray, notifications, windows, .. } = &desktop;
    let mut app = App::start(&desktop, &[])?;
    windows.see(TITLE).await?;
    tray.see_icon("idle").await?;

    windows.close_to_tray(TITLE).await?;
    notifications.see("still running in the tray").await?;
    app.expect_running()?;

    tray.click("Open Usher").await?;
    windows.close_to_tray(TITLE).await?;

    let mut second = App::start(&desktop, &[])?;
    assert!(second.wait_for_exit().await?.0.success());
    windows.close_to_tray(TITLE).await?;

    tray.click("Quit Usher").await?;
    see_quick_exit(&mut app).await?;
    assert_eq!(notifications.shown().len(), 1, "not notified exactly once");
    assert_eq!(tray.icons(), 1);
    Ok(())
}

#[tokio::test]
async fn without_a_tray_closing_the_window_quits_the_app() -> Result<()> {
    let desktop = Desktop::start().await?;
    let notifications = NotificationServer::start(desktop.bus()?).await?;
    let windows = Windows::connect(desktop.display()?)?;
    let mut app = App::start(&desktop, &[])?;
    windows.close(TITLE).await?;
    see_quick_exit(&mut app).await?;
    assert_eq!(notifications.shown(), []);
    Ok(())
}

#[tokio::test]
async fn a_hidden_start_opens_no_window_while_there_is_a_tray() -> Result<()> {
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let windows = Windows::connect(desktop.display()?)?;
    let mut app = App::start(&desktop, &["--hidden"])?;
    tray.see_icon("idle").await?;
    assert_eq!(windows.find(TITLE)?, None);

    // A second hidden start opens no window either.
    let mut second = App::start(&desktop, &["--hidden"])?;
    assert!(second.wait_for_exit().await?.0.success());
    assert_eq!(windows.find(TITLE)?, None);

    // Without a tray the app would be inaccessible, so its window opens.
    tray.stop().await?;
    windows.see(TITLE).await?;
    let again = TrayHost::start(desktop.bus()?).await?;
    again.see_icon("idle").await?;
    windows.close_to_tray(TITLE).await?;
    app.expect_running()?;
    again.click("Quit Usher").await?;
    assert!(app.wait_for_exit().await?.0.success());
    Ok(())
}

#[tokio::test]
async fn everything_is_paused_and_resumed_from_the_tray() -> Result<()> {
    let SignedIn { desktop, mut app, demo: _demo } = SignedIn::start(DemoOptions::default()).await?;
    let FullDesktop { tray, browser, .. } = &desktop;
    tray.see_item(": connected").await?;

    tray.click("Pause all").await?;
    tray.see_item(": paused").await?;
    tray.click("Resume all").await?;
    tray.see_item(": connected").await?;
    assert_eq!(browser.opened().len(), 1);
    tray.click("Quit Usher").await?;
    assert!(app.wait_for_exit().await?.0.success());
    Ok(())
}

#[tokio::test]
async fn a_services_menu_item_opens_its_page_in_the_open_window_or_a_new_one() -> Result<()> {
    let current_page = |name: &str| format!("{}[aria-current=\"page\"]", Page::id(&format!("server-{name}")));
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let windows = Windows::connect(desktop.display()?)?;
    let disabled = r#"{ "type": "http", "url": "https://mcp.example.com/mcp", "disabled": true }"#;
    desktop
        .write_config(&format!(r#"{{ "mcpServers": {{ "first": {disabled}, "second": {disabled} }} }}"#))?;
    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see(&current_page("first")).await?;

    tray.click("second: off").await?;
    page.see(&current_page("second")).await?;

    let old = page.session().window().await?;
    windows.close_to_tray(TITLE).await?;
    tray.click("second: off").await?;
    let new = until("a new window", || async {
        Ok(page.session().windows().await?.into_iter().find(|window| *window != old))
    })
    .await?;
    page.session().switch_to_window(new).await?;
    page.see(&current_page("second")).await?;
    Ok(())
}

#[tokio::test]
async fn if_the_browser_cannot_be_opened_a_click_shows_the_services_page_and_the_reason() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let disabled = r#"{ "type": "http", "url": "https://mcp.example.com/mcp", "disabled": true }"#;
    let notes = format!(r#"{{ "type": "http", "url": "{}" }}"#, demo.url());
    desktop.write_config(&format!(r#"{{ "mcpServers": {{ "first": {disabled}, "notes": {notes} }} }}"#))?;
    for launcher in ["xdg-open", "gio"] {
        desktop.install_script(launcher, "#!/bin/sh\nexit 3\n")?;
    }
    let window = Window::open(&desktop).await?;

    tray.click("Sign in to").await?;
    let notice = window.page().read_until(&Page::id("notice"), "Could not open the browser.").await;
    notice.with_context(|| window.log())?;
    window.page().see(&format!("{}[aria-current=\"page\"]", Page::id("server-notes"))).await?;
    tray.see_item("open the browser").await?;
    Ok(())
}

#[tokio::test]
async fn quitting_during_a_sign_in_is_quick_and_the_sign_in_still_completes() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let mut browser = Browser::install(&desktop)?;
    configure_notes(&desktop, &demo)?;
    let mut app = App::start(&desktop, &["--hidden"])?;
    tray.click("Sign in to").await?;
    let consent = steps::consent(&mut browser).await?;
    tray.see_item("waiting for your browser").await?;
    tray.click("Quit Usher").await?;
    see_quick_exit(&mut app).await?;

    // The callback starts the app, which completes the sign-in.
    consent.press("#allow").await?;
    let app = LaunchedApp::wait(&desktop).await?;
    tray.see_item(": connected").await?;
    assert_eq!(browser.opened().len(), 1);
    app.stop(&desktop).await
}
