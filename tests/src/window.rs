//! The app's window, opened by WebKit's own WebDriver on a test's desktop.

use std::ffi::OsString;
use std::fs::File;
use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, Result};
use serde_json::json;

use crate::{Desktop, Driver, Page, place};

/// How the app is started.
#[derive(Clone, Debug, Default)]
pub struct WindowOptions {
    /// Arguments, such as a link.
    pub arguments: Vec<String>,
    /// What is started in the app's place and starts it in its turn, such as a launcher of its desktop entry.
    pub program: Option<PathBuf>,
    /// Whether the system's look is dark.
    pub dark: bool,
    /// Variables besides those of the desktop.
    pub environment: Vec<(OsString, OsString)>,
}

/// The running app.
#[derive(Debug)]
pub struct Window {
    driver: Driver,
    page: Page,
    log: PathBuf,
}

impl Window {
    /// Opens the app as a person does, and waits for its first screen to be usable.
    pub async fn open(desktop: &Desktop) -> Result<Window> {
        Window::open_with(desktop, WindowOptions::default()).await
    }

    /// [`Window::open`] with options.
    pub async fn open_with(desktop: &Desktop, options: WindowOptions) -> Result<Window> {
        let port = place::free_port()?;
        let log = desktop.folder("cache").join("app.log");
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = desktop.command("WebKitWebDriver");
        command
            .arg(format!("--port={port}"))
            // What tauri-driver sets: the web view then takes part in automation.
            .env("TAURI_AUTOMATION", "true")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            .envs(options.environment)
            .stdout(output.try_clone()?)
            .stderr(Stdio::from(output));
        if options.dark {
            command.env("GTK_THEME", "Adwaita:dark");
        }
        let program = options.program.map_or_else(place::app, Ok)?;
        let capabilities = json!({
            "webkitgtk:browserOptions": { "binary": program, "args": options.arguments },
        });
        let capabilities = capabilities.as_object().cloned().context("the capabilities are an object")?;
        let driver = Driver::start(&mut command, port, capabilities)
            .await
            .with_context(|| format!("the app's window did not open; it said:\n{}", read(&log)))?;
        let page = driver.page();
        page.see("[data-ready=\"true\"]")
            .await
            .with_context(|| format!("the window stayed empty; it said:\n{}", read(&log)))?;
        Ok(Window { driver, page, log })
    }

    /// What the window shows.
    pub fn page(&self) -> &Page {
        &self.page
    }

    /// Gives the window's inside this size.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        self.page.session().set_window_rect(0, 0, width, height).await.context("the window kept its size")
    }

    /// What the app wrote to its output so far.
    pub fn log(&self) -> String {
        read(&self.log)
    }

    /// Ends the app.
    pub async fn close(self) -> Result<()> {
        self.driver.quit().await
    }
}

fn read(log: &PathBuf) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}
