//! A locked keychain and the person who has its password: the system asks only for what the person does, the answer is
//! enough, and a no loses nothing.

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::PATIENCE;
use usher_tests::{Cli, Desktop, Keyring, Page, Prompter, Window, walk};

use crate::people::{sign_in_by_command, write_config_with};

/// What the tests' keychain is locked with.
const PASSWORD: &str = "test";
/// The exit code for a keychain that cannot be used.
const KEYCHAIN: i32 = 7;

/// Somebody who is signed in to "notes", whose keychain was locked since.
async fn locked_out(desktop: &Desktop, demo: &Demo) -> Result<()> {
    write_config_with(desktop, "notes", demo.url().as_str())?;
    sign_in_by_command(desktop, "notes").await?;
    Keyring::lock(desktop.bus()?)
}

#[tokio::test]
async fn a_command_asks_for_the_password_once_and_goes_on() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let prompter = Prompter::install(&desktop)?;
    locked_out(&desktop, &demo).await?;

    let tools = Cli::new(&desktop).start(&["tools", "notes"])?;
    prompter.dismiss().await?;
    assert!(prompter.was_asked()?, "who asks for the password is not seen");
    let tools = tools.finish(PATIENCE).await?;
    assert_eq!(tools.code, Some(KEYCHAIN), "{}", tools.stderr);
    assert!(tools.stderr.contains("keychain is locked"), "{}", tools.stderr);

    let tools = Cli::new(&desktop).start(&["tools", "notes"])?;
    prompter.answer(PASSWORD).await?;
    let tools = tools.finish(PATIENCE).await?;
    assert_eq!(tools.code, Some(0), "{}", tools.stderr);
    Ok(())
}

#[tokio::test]
async fn the_app_asks_only_when_the_person_wants_it() -> Result<()> {
    let demo = Demo::start(DemoOptions::default()).await?;
    let desktop = Desktop::start().await?;
    let prompter = Prompter::install(&desktop)?;
    locked_out(&desktop, &demo).await?;

    let window = Window::open(&desktop).await?;
    let page = window.page();
    page.see(&Page::id("keychain-error")).await?;
    assert!(!prompter.was_asked()?, "the app asked for the password by itself");

    page.press(&Page::id("keychain-retry")).await?;
    prompter.dismiss().await?;
    // A question that came back by itself would stand before the rest.
    prompter.rests().await?;
    let screen = page.read(&Page::id("keychain-error")).await?;
    assert!(screen.to_lowercase().contains("locked"), "{screen}");

    page.press(&Page::id("keychain-retry")).await?;
    prompter.answer(PASSWORD).await?;
    page.see_gone(&Page::id("keychain-error")).await?;
    page.press(&Page::id("server-notes")).await?;
    page.see(&walk::state("connected")).await?;
    Ok(())
}
