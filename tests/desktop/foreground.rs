//! A service that needs the person while the window is in the foreground causes no notification, not even later.

use anyhow::Result;
use usher_demo::Demo;
use usher_tests::wait::until_ready;
use usher_tests::{App, Cli, Desktop, Notification, Page, Window};

use crate::support::{FullDesktop, TITLE, see_connected, short_lived};

/// Two services, signed in.
struct Services {
    notes: Demo,
    tea: Demo,
}

impl Services {
    async fn start(desktop: &Desktop) -> Result<Services> {
        // The number of refreshes also shows how much time has passed.
        let (notes, tea) = (Demo::start(short_lived(4)).await?, Demo::start(short_lived(4)).await?);
        desktop.configure([("notes", notes.url().as_str()), ("tea", tea.url().as_str())])?;
        for name in ["notes", "tea"] {
            Cli::new(desktop).sign_in(name).await?;
        }
        Ok(Services { notes, tea })
    }

    /// Revokes the sign-in of "notes" and waits until its notification would have been shown. The app collects events
    /// for two seconds before it shows a notification. Two refreshes of "tea" take more than three seconds.
    async fn revoke_notes(&self, desktop: &FullDesktop) -> Result<()> {
        see_connected(&desktop.tray, 2).await?;
        self.notes.revoke_everything();
        desktop.tray.see_icon("attention").await?;
        desktop.tray.see_item("Sign in to").await?;
        let refreshes = self.tea.token_requests("refresh_token");
        until_ready("“tea” to be refreshed twice", || {
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
        let opened = desktop.browser.until_opened(1).await?;
        assert!(opened[0].starts_with(self.tea.issuer()), "the page of a different service: {opened:?}");
        Ok(())
    }
}

#[tokio::test]
async fn a_sign_in_that_was_lost_in_the_foreground_is_not_notified_after_the_focus_changes() -> Result<()> {
    let desktop = FullDesktop::start().await?;
    let services = Services::start(&desktop).await?;
    let windows = &desktop.windows;
    let window = Window::open(&desktop).await?;
    windows.bring_to_front(windows.see(TITLE).await?).await?;
    window.page().press_to_see(&Page::id("server-notes"), &Page::status("connected")).await?;

    services.revoke_notes(&desktop).await?;
    window.page().see(&Page::status("needs_sign_in")).await?;
    assert_eq!(
        desktop.notifications.shown(),
        [],
        "a notification was shown although the window is in the foreground"
    );

    windows.bring_to_front(windows.open_other_window()?).await?;
    services.revoke_tea(&desktop, &[]).await
}

#[tokio::test]
async fn a_sign_in_that_was_lost_in_the_foreground_is_not_notified_after_the_window_closes() -> Result<()> {
    let desktop = FullDesktop::start().await?;
    let services = Services::start(&desktop).await?;
    let windows = &desktop.windows;
    let _app = App::start(&desktop, &[])?;
    windows.bring_to_front(windows.see(TITLE).await?).await?;

    services.revoke_notes(&desktop).await?;
    assert_eq!(
        desktop.notifications.shown(),
        [],
        "a notification was shown although the window is in the foreground"
    );

    windows.close_to_tray(TITLE).await?;
    let stays = desktop.notifications.see("still running in the tray").await?;
    services.revoke_tea(&desktop, &[stays]).await
}
