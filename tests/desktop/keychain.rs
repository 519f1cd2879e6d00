//! No keychain, or a locked one: a clear screen with the choices, never a silent fallback, nothing lost.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Browser, Desktop, DesktopOptions, Keyring, Page, Window, walk};

use crate::people::{begin_sign_in, open_with_notes, write_config_with};

#[tokio::test]
async fn without_a_keychain_the_person_chooses() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::with(DesktopOptions { keyring: false, bus: true, display: true }).await?;
    let mut browser = Browser::install(&desktop)?;
    write_config_with(&desktop, "notes", demo.url().as_str())?;
    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("keychain-use-memory")).await?;
    window.page().see_gone(&Page::id("keychain-error")).await?;
    window.page().press(&Page::id("server-notes")).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await
}

#[tokio::test]
async fn a_keychain_that_is_locked_and_unlocked_again_keeps_the_sign_in() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let mut desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;
    let window = open_with_notes(&desktop, &demo).await?;
    let consent = begin_sign_in(&window, &mut browser).await?;
    walk::allow(&consent, &window).await?;
    window.close().await?;

    Keyring::lock(desktop.bus()?)?;
    let window = Window::open(&desktop).await?;
    let screen = window.page().read(&Page::id("keychain-error")).await?;
    assert!(screen.to_lowercase().contains("locked"), "{screen}");

    desktop.start_keyring().await?;
    window.page().press(&Page::id("keychain-retry")).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&walk::state("connected")).await?;
    assert_eq!(browser.opened().len(), 1, "a locked keychain cost a sign-in");
    Ok(())
}
