//! The password dialog of a locked keychain. It appears only after the person acts. The password is enough to continue,
//! and dismissing the dialog loses nothing.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::{Cli, Desktop, Keyring, Page, Prompter, Window};

use crate::support::sign_in_to_notes;

/// The password of the tests' keychain.
const PASSWORD: &str = "test";
/// The exit code for an unusable keychain.
const KEYCHAIN_ERROR: i32 = 7;

/// Signs in to "notes", then locks the keychain.
async fn sign_in_and_lock(desktop: &Desktop, demo: &Demo) -> Result<()> {
    sign_in_to_notes(desktop, demo).await?;
    Keyring::lock(desktop.bus()?)
}

#[tokio::test]
async fn a_command_asks_for_the_password_once_and_continues() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let prompter = Prompter::install(&desktop)?;
    sign_in_and_lock(&desktop, &demo).await?;

    let cli = Cli::new(&desktop);
    let tools = cli.start(&["tools", "notes"])?;
    prompter.dismiss().await?;
    assert!(prompter.is_running()?, "the running prompter is not detected");
    let tools = tools.finish().await?;
    assert_eq!(tools.code, Some(KEYCHAIN_ERROR), "{}", tools.stderr);
    assert!(tools.stderr.contains("keychain is locked"), "{}", tools.stderr);

    let tools = cli.start(&["tools", "notes"])?;
    prompter.enter_password(PASSWORD).await?;
    let tools = tools.finish().await?;
    assert_eq!(tools.code, Some(0), "{}", tools.stderr);
    Ok(())
}

#[tokio::test]
async fn the_app_asks_only_when_the_person_retries() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let prompter = Prompter::install(&desktop)?;
    sign_in_and_lock(&desktop, &demo).await?;

    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see(&Page::id("keychain-error")).await?;
    assert!(!prompter.is_running()?, "the app asked for the password before the person retried");

    page.press(&Page::id("keychain-retry")).await?;
    prompter.dismiss().await?;
    // If the app asked again automatically, the prompter would not exit.
    prompter.wait_for_exit().await?;
    let screen = page.read(&Page::id("keychain-error")).await?;
    assert!(screen.to_lowercase().contains("locked"), "{screen}");

    page.press(&Page::id("keychain-retry")).await?;
    prompter.enter_password(PASSWORD).await?;
    page.see_gone(&Page::id("keychain-error")).await?;
    page.press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;
    Ok(())
}
