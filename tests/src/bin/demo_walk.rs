//! `demo-walk [FOLDER]`: the first sign-in on a machine without a screen, told step by step.
//!
//! A real window, a real browser and a real keychain on a desktop of their own, which is gone afterwards. Pictures go
//! to FOLDER, or to `target/screenshots/start`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use usher_tests::{Browser, Desktop, Page, Window, place, walk};

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(folder) => {
            println!("Pictures of each step are in {}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("The walk ended early: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<PathBuf> {
    let folder = match std::env::args_os().nth(1) {
        Some(folder) => PathBuf::from(folder),
        None => place::screenshots()?.join("start"),
    };
    std::fs::create_dir_all(&folder)?;
    println!("Starting a screen, a session bus and a keychain that last for this walk");
    let desktop = Desktop::start().await?;
    let mut browser = Browser::install(&desktop)?;

    let window = Window::open(&desktop).await?;
    window.page().see(&Page::id("gallery")).await?;
    picture(window.page(), &folder, "1-gallery", "Usher is open and shows the gallery").await?;

    let consent = walk::try_the_demo(&window, &mut browser).await?;
    picture(window.page(), &folder, "2-waiting", "Pressed “Try the demo”: Usher waits for the browser")
        .await?;
    picture(&consent, &folder, "3-consent", "Chromium opened and shows the demo’s question").await?;

    walk::allow(&consent, &window).await?;
    let connected = "Pressed Allow: the browser sent the answer back by a link, and the demo is connected";
    picture(window.page(), &folder, "4-connected", connected).await?;

    let result = walk::call_tool(&window, "search_pages", &[("query", "welcome")]).await?;
    anyhow::ensure!(!result.is_empty(), "the tool answered nothing");
    picture(window.page(), &folder, "5-tool", "Called a tool: its answer is on the screen").await?;

    anyhow::ensure!(desktop.stored_secrets()?.contains("Usher: demo"), "the sign-in is not in the keychain");
    println!("The sign-in lies in the keychain");
    window.close().await?;

    let window = Window::open(&desktop).await?;
    window.page().press(&Page::id("server-demo")).await?;
    window.page().see(&walk::state("connected")).await?;
    anyhow::ensure!(browser.opened().len() == 1, "the second start opened a browser");
    let again = "Ended and started again: still signed in, no browser needed";
    picture(window.page(), &folder, "6-started-again", again).await?;
    window.close().await?;
    Ok(folder)
}

/// Tells the step and keeps its picture.
async fn picture(page: &Page, folder: &Path, name: &str, step: &str) -> Result<()> {
    page.photograph_to(&folder.join(format!("{name}.png"))).await?;
    println!("{step}");
    Ok(())
}
