//! The app with a demo as the server "notes".

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};

use crate::{Browser, Desktop, Page, Window};

/// The running app, which shows the page of "notes", before the first sign-in.
pub struct Notes {
    // Dropped in this order: the programs before the desktop that they run on.
    pub window: Window,
    pub browser: Browser,
    pub desktop: Desktop,
    pub demo: Demo,
}

impl Notes {
    /// Starts a demo, and opens the app on a desktop of its own.
    pub async fn open(options: DemoOptions) -> Result<Notes> {
        let demo = Demo::start(options).await?;
        let desktop = Desktop::start().await?;
        let browser = Browser::install(&desktop)?;
        desktop.configure([("notes", demo.url().as_str())])?;
        let window = Window::open(&desktop).await?;
        window.page().press(&Page::id("server-notes")).await?;
        Ok(Notes { window, browser, desktop, demo })
    }
}
