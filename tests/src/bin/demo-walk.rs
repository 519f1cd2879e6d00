//! `demo-walk` runs the first sign-in on a machine without a screen and prints each step.
//!
//! It uses the real window, browser and keychain on a temporary desktop. Screenshots go to `target/screenshots/start`.

use std::process::ExitCode;

use anyhow::Result;
use usher_tests::{Browser, Desktop, Page, Window, paths, steps};

#[tokio::main]
async fn main() -> ExitCode {
    if let Err(error) = run().await {
        eprintln!("The walk-through failed: {error:#}");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

async fn run() -> Result<()> {
    println!("Starting a temporary screen, session bus and keychain");
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;

    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("gallery")).await?;
    step(window.page(), "1-gallery", "Opened Usher: it shows the gallery").await?;

    let consent = steps::try_the_demo(&window, &mut browser).await?;
    step(window.page(), "2-waiting", "Pressed “Try the demo”: Usher waits for the browser").await?;
    step(&consent, "3-consent", "Chromium opened and shows the consent page of the demo").await?;

    steps::allow(&consent, &window).await?;
    let connected = "Pressed Allow: the browser redirected to Usher, and the demo is connected";
    step(window.page(), "4-connected", connected).await?;

    let result = steps::call_tool(&window, "search_pages", &[("query", "welcome")]).await?;
    anyhow::ensure!(!result.is_empty(), "the tool returned nothing");
    step(window.page(), "5-tool", "Called a tool: the window shows its result").await?;

    anyhow::ensure!(desktop.stored_secrets()?.contains("Usher: demo"), "the sign-in is not in the keychain");
    println!("The sign-in is stored in the keychain");
    window.close().await?;

    let window = Window::open(&desktop).await?;
    window.page().press_to_see(&Page::id("server-demo"), &Page::status("connected")).await?;
    anyhow::ensure!(browser.opened().len() == 1, "the second start opened a browser");
    let again = "Restarted Usher: still signed in, without the browser";
    step(window.page(), "6-started-again", again).await?;
    window.close().await?;
    println!("Screenshots of each step are in {}", paths::screenshots()?.join("start").display());
    Ok(())
}

/// Prints the step and saves a screenshot of it.
async fn step(page: &Page, name: &str, text: &str) -> Result<()> {
    page.screenshot(&format!("start/{name}")).await?;
    println!("{text}");
    Ok(())
}
