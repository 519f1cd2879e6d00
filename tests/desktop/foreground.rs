//! The window in the foreground shows what needs the person. No notification is shown, then or later.

use std::time::Duration;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{TIMEOUT, until_ready};
use usher_tests::{App, Desktop, Notification, Page, Window};

use crate::support::{FullDesktop, TITLE, configure, see_connected, sign_in_by_command};

/// The lifetime of access tokens. The engine refreshes them shortly before they expire, so it soon notices a
/// revocation. The number of refreshes also shows how much time has passed.
const LIFE: Duration = Duration::from_secs(4);

/// Two services, signed in.
struct Services {
    notes: Demo,
    tea: Demo,
}

impl Services {
    async fn start(desktop: &Desktop) -> Result<Services> {
        let short_lived = || DemoOptions { life: LIFE, ..DemoOptions::default() };
        let (notes, tea) = (Demo::start(short_lived()).await?, Demo::start(short_lived()).await?);
        configure(desktop, &[("notes", notes.url().as_str()), ("tea", tea.url().as_str())])?;
        for name in ["notes", "tea"] {
            sign_in_by_command(desktop, name).await?;
        }
        Ok(Services { notes, tea })
    }

    /// Revokes the sign-in of "notes" and waits until its notification would have been shown. The app collects events
    /// for two seconds before it shows a notification. Two refreshes of "tea" take more than three seconds.
    async fn revoke_notes(&self, desktop: &FullDesktop) -> Result<()> {
        see_connected(&desktop.tray, 2).await?;
        self.notes.revoke_everything();
        desktop.tray.see_icon("needs-you").await?;
        desktop.tray.see_item("Sign in to").await?;
        let refreshes = self.tea.token_requests("refresh_token");
        until_ready("“tea” to be refreshed twice", TIMEOUT, || {
            Ok((self.tea.token_requests("refresh_token") >= refreshes + 2).then_some(()))
        })
        .await
    }

    /// Revokes the sign-in of "tea" and checks that the only notification after `earlier` is about "tea".
    async fn revoke_tea(&self, desktop: &FullDesktop, earlier: &[Notification]) -> Result<()> {
        self.tea.revoke_everything();
        let notification = desktop.notifications.see("needs you to sign in again").await?;
        assert_eq!(desktop.notifications.shown(), [earlier, std::slice::from_ref(&notification)].concat());
        desktop.notifications.click(&notification).await?;
        let opened = || Ok(desktop.browser.opened().first().cloned());
        let opened = until_ready("the browser to open", TIMEOUT, opened).await?;
        assert!(opened.starts_with(self.tea.issuer()), "the page of another service: {opened}");
        Ok(())
    }
}

#[tokio::test]
async fn what_the_foreground_window_showed_is_not_notified_when_it_loses_focus() -> Result<()> {
    let desktop = FullDesktop::start().await?;
    let services = Services::start(&desktop).await?;
    let windows = &desktop.windows;
    let window = Window::open(&desktop).await?;
    windows.bring_to_front(windows.see(TITLE).await?).await?;
    window.page().press(&Page::id("server-notes")).await?;
    window.page().see(&Page::status("connected")).await?;

    services.revoke_notes(&desktop).await?;
    window.page().see(&Page::status("needs_sign_in")).await?;
    assert_eq!(desktop.notifications.shown(), [], "notified although the window is in the foreground");

    windows.bring_to_front(windows.open_other_window()?).await?;
    services.revoke_tea(&desktop, &[]).await
}

#[tokio::test]
async fn what_the_foreground_window_showed_is_not_notified_when_it_closes_to_the_tray() -> Result<()> {
    let desktop = FullDesktop::start().await?;
    let services = Services::start(&desktop).await?;
    let windows = &desktop.windows;
    let _app = App::start(&desktop, &[])?;
    let window = windows.see(TITLE).await?;
    windows.bring_to_front(window).await?;

    services.revoke_notes(&desktop).await?;
    assert_eq!(desktop.notifications.shown(), [], "notified although the window is in the foreground");

    windows.close(window)?;
    windows.see_gone(TITLE).await?;
    let stays = desktop.notifications.see("still running in the tray").await?;
    services.revoke_tea(&desktop, &[stays]).await
}
