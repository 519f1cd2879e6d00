//! `demo-walk [FOLDER]` runs the first sign-in on a machine without a screen and prints each step.
//!
//! It uses the real window, browser and keychain on a temporary desktop. Screenshots go to FOLDER, or to
//! `target/screenshots/start`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use usher_tests::{Browser, Desktop, Page, Window, paths, steps};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(folder) => {
            println!("Screenshots of each step are in {}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("The walk-through failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<PathBuf> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => paths::screenshots()?.join("start"),
    };
    std::fs::create_dir_all(&folder)?;
    println!("Starting a temporary screen, session bus and keychain");
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;

    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("gallery")).await?;
    step(window.page(), &folder, "1-gallery", "Opened Usher: it shows the gallery").await?;

    let consent = steps::try_the_demo(&window, &mut browser).await?;
    step(window.page(), &folder, "2-waiting", "Pressed “Try the demo”: Usher waits for the browser").await?;
    step(&consent, &folder, "3-consent", "Chromium opened and shows the consent page of the demo").await?;

    steps::allow(&consent, &window).await?;
    let connected = "Pressed Allow: the browser redirected to Usher, and the demo is connected";
    step(window.page(), &folder, "4-connected", connected).await?;

    let result = steps::call_tool(&window, "search_pages", &[("query", "welcome")]).await?;
    anyhow::ensure!(!result.is_empty(), "the tool returned nothing");
    step(window.page(), &folder, "5-tool", "Called a tool: the window shows its result").await?;

    anyhow::ensure!(desktop.stored_secrets()?.contains("Usher: demo"), "the sign-in is not in the keychain");
    println!("The sign-in is stored in the keychain");
    window.close().await?;

    let window = Window::open(&desktop).await?;
    window.page().press(&Page::id("server-demo")).await?;
    window.page().see(&Page::status("connected")).await?;
    anyhow::ensure!(browser.opened().len() == 1, "the second start opened a browser");
    let again = "Restarted Usher: still signed in, without the browser";
    step(window.page(), &folder, "6-started-again", again).await?;
    window.close().await?;
    Ok(folder)
}

/// Prints the step and saves a screenshot of it.
async fn step(page: &Page, folder: &Path, name: &str, text: &str) -> Result<()> {
    page.screenshot_to(&folder.join(format!("{name}.png"))).await?;
    println!("{text}");
    Ok(())
}
