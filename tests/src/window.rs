//! The app's window, opened and driven by WebKitWebDriver.

use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{Desktop, Driver, Page, paths};

/// Options for the start of the app.
#[derive(Clone, Debug, Default)]
pub struct WindowOptions {
    /// The app's arguments, such as a link.
    pub arguments: Vec<String>,
    /// A program that starts the app, such as a launcher of its desktop entry. The default is the app itself.
    pub program: Option<PathBuf>,
    /// Whether the system's theme is dark.
    pub dark: bool,
    /// Additional environment variables.
    pub environment: Vec<(&'static str, &'static str)>,
}

/// The running app.
#[derive(Debug)]
pub struct Window {
    driver: Driver,
    page: Page,
    log: PathBuf,
}

impl Window {
    /// Opens the app and waits until its first screen is ready.
    pub async fn open(desktop: &Desktop) -> Result<Window> {
        Window::open_with(desktop, WindowOptions::default()).await
    }

    /// Opens the app with options, and waits until its first screen is ready.
    pub async fn open_with(desktop: &Desktop, options: WindowOptions) -> Result<Window> {
        let log = desktop.folder("cache").join("app.log");
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = desktop.command("WebKitWebDriver");
        command
            // Enables automation in the web view, as tauri-driver does.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(options.environment)
            .stdout(output.try_clone()?)
            .stderr(Stdio::from(output));
        if options.dark {
            command.env("GTK_THEME", "Adwaita:dark");
        }
        let program = options.program.map_or_else(paths::app, Ok)?;
        let capabilities = json!({
            "webkitgtk:browserOptions": { "binary": program, "args": options.arguments },
        });
        let driver = Driver::start(&mut command, capabilities)
            .await
            .with_context(|| format!("the app's window did not open; its output:\n{}", read(&log)))?;
        let page = driver.page();
        page.see("[data-ready=\"true\"]")
            .await
            .with_context(|| format!("the app's first screen did not appear; its output:\n{}", read(&log)))?;
        Ok(Window { driver, page, log })
    }

    /// The page in the window.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Sets the size of the window's content.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.page.session().set_window_rect(0, 0, width, height).await.context("cannot resize the window")
    }

    /// The app's output so far.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Closes the WebDriver session and with it the app.
    pub async fn close(self) -> Result<()> {
        self.driver.quit().await
    }
}

fn read(log: &PathBuf) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}
