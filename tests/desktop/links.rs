//! A link that comes when the app is not running.

use std::process::Command;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{Browser, Desktop, Page, Process, StartedBySystem, Window, WindowOptions, place, walk};

use crate::people::{begin_sign_in, open_address, open_with_notes};

const LATE: &str = "dev.usher.desktop:/oauth/callback?code=late&state=gone";

#[tokio::test]
async fn a_sign_in_that_was_waiting_is_finished_by_the_start_that_its_link_causes() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    window.close().await?;
    StartedBySystem::wait_until_gone(&desktop).await?;

    consent.press("#allow").await?;
    let app = StartedBySystem::wait(&desktop).await?;
    until_ready("the sign-in to be kept", PATIENCE, || {
        Ok(desktop.stored_secrets()?.contains("label = Usher: notes\n").then_some(()))
    })
    .await?;
    drop(app);

    let window = Window::open(&desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&walk::state("connected")).await?;
    assert_eq!(browser.opened().len(), 1);
    assert_eq!(demo.token_requests("authorization_code"), 1);
    Ok(())
}

#[tokio::test]
async fn a_start_by_a_link_that_belongs_to_nothing_says_so() -> Result<()> {
    let desktop = Desktop::start().await?;
    let options = WindowOptions { arguments: vec![LATE.to_owned()], ..WindowOptions::default() };
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
    StartedBySystem::wait_until_gone(&desktop).await?;

    open_address(&desktop, LATE)?;
    let app = StartedBySystem::wait(&desktop).await?;
    let mut command: Command = desktop.command(place::app()?);
    let mut second = Process::start(&mut command)?;
    let ended = until_ready("the second start to end", PATIENCE, || second.exit_status()).await?;
    assert!(ended.success());
    assert_eq!(desktop.bus()?.process_of(StartedBySystem::NAME)?, app.id());
    Ok(())
}
