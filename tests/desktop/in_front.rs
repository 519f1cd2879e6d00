//! While the window is in front it says itself what needs the person, and nothing is told beside it, then or later.

use std::time::Duration;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{
    App, Browser, Desktop, Notification, NotificationServer, Page, TrayHost, Window, Windows, walk,
};

use crate::people::{see_connected, servers, sign_in_by_command};

const TITLE: &str = "Usher";
/// Renewed by itself a little before this is over, so an end is noticed soon, and renewals tell how time passes.
const LIFE: Duration = Duration::from_secs(4);

/// Two services, signed in.
struct Services {
    notes: Demo,
    tea: Demo,
}

impl Services {
    async fn on(desktop: &Desktop) -> Result<Services> {
        let short_lived = || DemoOptions { life: LIFE, ..DemoOptions::default() };
        let (notes, tea) = (Demo::start(short_lived()).await?, Demo::start(short_lived()).await?);
        desktop.write_config(&servers(&[("notes", notes.url().as_str()), ("tea", tea.url().as_str())]))?;
        for name in ["notes", "tea"] {
            sign_in_by_command(desktop, name).await?;
        }
        Ok(Services { notes, tea })
    }

    /// "notes" ends its sign-in. Returns when that would have been told: the app gathers for two seconds what comes
    /// together, and between two renewals of "tea" there are more than three.
    async fn notes_ends(&self, tray: &TrayHost) -> Result<()> {
        see_connected(tray, 2).await?;
        self.notes.revoke_everything();
        tray.see("needs-you").await?;
        tray.see_line("Sign in to").await?;
        let renewed = self.tea.token_requests("refresh_token");
        until_ready("“tea” to be renewed twice", PATIENCE, || {
            Ok((self.tea.token_requests("refresh_token") >= renewed + 2).then_some(()))
        })
        .await
    }

    /// "tea" ends its sign-in, and that is told: of "tea" alone, and after `before` nothing but that.
    async fn tea_ends(
        &self,
        notifications: &NotificationServer,
        browser: &Browser,
        before: &[Notification],
    ) -> Result<()> {
        self.tea.revoke_everything();
        let told = notifications.see("needs you to sign in again").await?;
        assert_eq!(notifications.shown(), [before, std::slice::from_ref(&told)].concat());
        notifications.click(&told).await?;
        let opened = until_ready("the browser", PATIENCE, || Ok(browser.opened().first().cloned())).await?;
        assert!(opened.starts_with(self.tea.issuer()), "{opened} is another's page");
        Ok(())
    }
}

#[tokio::test]
async fn what_the_window_shows_in_front_is_not_told_when_another_comes_before_it() -> Result<()> {
    let desktop = Desktop::start().await?;
    let services = Services::on(&desktop).await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let notifications = NotificationServer::start(desktop.bus()?).await?;
    let browser = Browser::install(&desktop)?;
    let windows = Windows::of(desktop.display()?)?;
    let window = Window::open(&desktop).await?;
    windows.bring_to_front(windows.see(TITLE).await?).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&walk::state("connected")).await?;

    services.notes_ends(&tray).await?;
    window.page().see(&walk::state("needs_sign_in")).await?;
    assert_eq!(notifications.shown(), [], "it was told beside the window");

    windows.bring_to_front(windows.open_another()?).await?;
    services.tea_ends(&notifications, &browser, &[]).await
}

#[tokio::test]
async fn what_the_window_showed_in_front_is_not_told_when_it_is_closed_to_the_tray() -> Result<()> {
    let desktop = Desktop::start().await?;
    let services = Services::on(&desktop).await?;
    let tray = TrayHost::start(desktop.bus()?).await?;
    let notifications = NotificationServer::start(desktop.bus()?).await?;
    let browser = Browser::install(&desktop)?;
    let windows = Windows::of(desktop.display()?)?;
    let _app = App::start(&desktop, &[])?;
    let window = windows.see(TITLE).await?;
    windows.bring_to_front(window).await?;

    services.notes_ends(&tray).await?;
    assert_eq!(notifications.shown(), [], "it was told beside the window");

    windows.close(window)?;
    windows.see_gone(TITLE).await?;
    let stays = notifications.see("still running in the tray").await?;
    services.tea_ends(&notifications, &browser, &[stays]).await
}
