//! Setup and steps that several tests share.

use std::ops::Deref;
use std::time::Duration;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::until;
use usher_tests::{
    App, Browser, Cli, Desktop, NotificationServer, TrayHost, Window, WindowOptions, Windows, steps,
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
        desktop.tray.see_icon("attention").await?;
        desktop.tray.click("Sign in to").await?;
        desktop.allow().await?;
        desktop.tray.see_icon("idle").await?;
        Ok(SignedIn { app, desktop, demo })
    }
}

/// Writes an `mcp.json` with `demo` as the server "notes".
pub fn configure_notes(desktop: &Desktop, demo: &Demo) -> Result<()> {
    desktop.configure([("notes", demo.url().as_str())])
}

/// Signs in to `demo` as "notes" with the command line, for tests that begin with a sign-in.
pub async fn sign_in_to_notes(desktop: &Desktop, demo: &Demo) -> Result<()> {
    configure_notes(desktop, demo)?;
    Cli::new(desktop).sign_in("notes").await
}

/// The options of a demo whose first sign-in grants no scope to write.
pub fn read_only() -> DemoOptions {
    let challenge_scopes = ["openid", "notes:read"].map(String::from).to_vec();
    DemoOptions { challenge_scopes, ..DemoOptions::default() }
}

/// The options of a demo whose access tokens live this many seconds. The engine refreshes them shortly before they
/// expire, so it soon notices a revocation or a broken keychain.
pub fn short_lived(seconds: u64) -> DemoOptions {
    DemoOptions { access_token_lifetime: Duration::from_secs(seconds), ..DemoOptions::default() }
}

/// Opens the app on a desktop without a session bus. Such a desktop has no keychain, so the secrets stay in memory.
pub async fn open_without_bus(desktop: &Desktop) -> Result<Window> {
    let environment = vec![("USHER_SECRET_STORE", "memory")];
    Window::open_with(desktop, WindowOptions { environment, ..WindowOptions::default() }).await
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
    until(&format!("{count} services to be connected"), || async {
        let menu = tray.menu().await?;
        let connected = menu.iter().filter(|item| item.label.ends_with(": connected"));
        Ok((connected.count() == count).then_some(()))
    })
    .await
}
