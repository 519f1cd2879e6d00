//! Callback links while the app is not running.

use anyhow::Result;
use usher_demo::DemoOptions;
use usher_tests::{App, Desktop, LaunchedApp, Notes, Page, Window, WindowOptions, steps};

/// A callback that belongs to no sign-in.
pub const UNKNOWN: &str = "dev.usher.desktop:/oauth/callback?code=late&state=gone";

#[tokio::test]
async fn a_callback_link_starts_the_app_and_completes_the_pending_sign_in() -> Result<()> {
    let Notes { demo, desktop, mut browser, window } = Notes::open(DemoOptions::default()).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    window.close().await?;
    LaunchedApp::wait_until_gone(&desktop).await?;

    consent.press("#allow").await?;
    let app = LaunchedApp::wait(&desktop).await?;
    desktop.until_stored("notes").await?;
    drop(app);

    let window = Window::open(&desktop).await?;
    window.page().press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;
    assert_eq!(browser.opened().len(), 1);
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}

#[tokio::test]
async fn a_start_by_an_unknown_callback_link_shows_a_notice() -> Result<()> {
    let desktop = Desktop::start().await?;
    let options = WindowOptions { arguments: vec![UNKNOWN.to_owned()], ..WindowOptions::default() };
    let window = Window::open_with(&desktop, options).await?;
    let notice = window.page().read(&Page::id("notice")).await?;
    assert!(notice.contains("sign-in"), "{notice}");
    window.page().see(&Page::id("gallery")).await?;
    Ok(())
}

#[tokio::test]
async fn the_system_starts_the_app_for_a_link_and_a_second_start_finds_it() -> Result<()> {
    let desktop = Desktop::start().await?;
    // The first start registers the handler.
    Window::open(&desktop).await?.close().await?;
    LaunchedApp::wait_until_gone(&desktop).await?;

    assert!(desktop.run("xdg-open", &[UNKNOWN]).await?);
    let app = LaunchedApp::wait(&desktop).await?;
    let (status, _) = App::start(&desktop, &[])?.wait_for_exit().await?;
    assert!(status.success());
    assert_eq!(desktop.bus()?.owner_pid(LaunchedApp::BUS_NAME)?, app.id());
    Ok(())
}
