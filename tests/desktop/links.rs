//! Callback links while the app is not running.

use std::process::Command;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{Browser, Desktop, LaunchedApp, Page, Process, Window, WindowOptions, paths, steps};

use crate::support::{open_address, open_with_notes};

const UNKNOWN: &str = "dev.usher.desktop:/oauth/callback?code=late&state=gone";

#[tokio::test]
async fn a_callback_link_starts_the_app_and_completes_the_pending_sign_in() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let consent = steps::begin_sign_in(&window, &mut browser).await?;
    window.close().await?;
    LaunchedApp::wait_until_gone(&desktop).await?;

    consent.press("#allow").await?;
    let app = LaunchedApp::wait(&desktop).await?;
    until_ready("the sign-in to be stored", TIMEOUT, || {
        Ok(desktop.stored_secrets()?.contains("label = Usher: notes\n").then_some(()))
    })
    .await?;
    drop(app);

    let window = Window::open(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&Page::status("connected")).await?;
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

    open_address(&desktop, UNKNOWN)?;
    let app = LaunchedApp::wait(&desktop).await?;
    let mut command: Command = desktop.command(paths::app()?);
    let mut second = Process::start(&mut command)?;
    let status = until_ready("the second start to exit", TIMEOUT, || second.exit_status()).await?;
    assert!(status.success());
    assert_eq!(desktop.bus()?.owner_pid(LaunchedApp::BUS_NAME)?, app.id());
    Ok(())
}
