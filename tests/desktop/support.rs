//! Setup and steps that several tests share.

use std::ops::Deref;
use std::time::Duration;

use anyhow::{Context, Result};
use usher_demo::{Demo, DemoOptions};
use usher_tests::consent::{self, Decision};
use usher_tests::wait::{TIMEOUT, until};
use usher_tests::{
    App, Browser, Cli, CliProcess, Desktop, NotificationServer, Page, TrayHost, Window, Windows, steps,
};

/// The title of the app's window.
pub const TITLE: &str = "Usher";

/// A desktop with a tray, a notification server and a default browser.
pub struct FullDesktop {
    // Dropped in this order: the parts before the desktop that they run on.
    pub browser: Browser,
    pub tray: TrayHost,
    pub notifications: NotificationServer,
    pub windows: Windows,
    pub base: Desktop,
}

impl FullDesktop {
    pub async fn start() -> Result<FullDesktop> {
        let base = Desktop::start().await?;
        Ok(FullDesktop {
            browser: Browser::install(&base)?,
            tray: TrayHost::start(base.bus()?).await?,
            notifications: NotificationServer::start(base.bus()?).await?,
            windows: Windows::connect(base.display()?)?,
            base,
        })
    }

    /// Waits for the consent page and presses Allow.
    pub async fn allow(&mut self) -> Result<()> {
        steps::consent(&mut self.browser).await?.press("#allow").await
    }
}

impl Deref for FullDesktop {
    type Target = Desktop;

    fn deref(&self) -> &Desktop {
        &self.base
    }
}

/// The app in the tray, signed in to "notes" from the tray menu.
pub struct SignedIn {
    // Dropped in this order: the app before the desktop that it runs on.
    pub app: App,
    pub desktop: FullDesktop,
    pub demo: Demo,
}

impl SignedIn {
    pub async fn start(options: DemoOptions) -> Result<SignedIn> {
        let demo = Demo::start(options).await?;
        let mut desktop = FullDesktop::start().await?;
        configure_notes(&desktop, &demo)?;
        let app = App::start(&desktop, &["--hidden"])?;
        desktop.tray.see_icon("needs-you").await?;
        desktop.tray.click("Sign in to").await?;
        desktop.allow().await?;
        desktop.tray.see_icon("well").await?;
        Ok(SignedIn { app, desktop, demo })
    }
}

pub fn configure(desktop: &Desktop, servers: &[(&str, &str)]) -> Result<()> {
    let entries: serde_json::Map<String, serde_json::Value> = servers
        .iter()
        .map(|(name, url)| ((*name).to_owned(), serde_json::json!({ "type": "http", "url": url })))
        .collect();
    desktop.write_config(&serde_json::json!({ "mcpServers": entries }).to_string())
}

/// Writes an `mcp.json` with `demo` as the server "notes".
pub fn configure_notes(desktop: &Desktop, demo: &Demo) -> Result<()> {
    configure(desktop, &[("notes", demo.url().as_str())])
}

/// Opens the app with `demo` as the server "notes" and shows its page.
pub async fn open_with_notes(desktop: &Desktop, demo: &Demo) -> Result<Window> {
    configure_notes(desktop, demo)?;
    let window = Window::open(desktop).await?;
    window.page().press(&Page::id("server-notes")).await?;
    Ok(window)
}

/// Signs in with the command line and without a browser, for tests of what happens afterwards.
pub async fn sign_in_by_command(desktop: &Desktop, name: &str) -> Result<()> {
    let mut login = Cli::new(desktop).start(&["login", name, "--no-browser"])?;
    let callback = approve(&mut login).await?;
    login.write_line(&callback)?;
    let login = login.finish(TIMEOUT).await?;
    anyhow::ensure!(login.code == Some(0), "the sign-in to {name} failed: {}", login.stderr);
    Ok(())
}

/// Approves the authorization URL that `usher login` prints, and returns the callback.
pub async fn approve(login: &mut CliProcess) -> Result<String> {
    let line: serde_json::Value = serde_json::from_str(&login.line().await?)?;
    consent::answer(line["authorization_url"].as_str().unwrap_or_default(), Decision::Allow).await
}

/// Opens an address with the system's opener, as any program does.
pub fn open_address(desktop: &Desktop, address: &str) -> Result<()> {
    let status = desktop.command("xdg-open").arg(address).status().context("cannot run xdg-open")?;
    anyhow::ensure!(status.success(), "xdg-open failed on {address}");
    Ok(())
}

/// Checks that the app exits successfully within two seconds.
pub async fn see_quick_exit(app: &mut App) -> Result<()> {
    let (status, took) = app.wait_for_exit().await?;
    anyhow::ensure!(status.success(), "{status}: {}", app.log());
    anyhow::ensure!(took < Duration::from_secs(2), "quitting took {took:?}");
    Ok(())
}

/// Waits until the tray's menu shows this many connected services, whatever their names.
pub async fn see_connected(tray: &TrayHost, count: usize) -> Result<()> {
    until(&format!("{count} services to be connected"), TIMEOUT, || async {
        let menu = tray.menu().await?;
        let connected = menu.iter().filter(|item| item.label.ends_with(": connected"));
        Ok((connected.count() == count).then_some(()))
    })
    .await
}
