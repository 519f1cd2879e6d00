//! Several sign-ins that were revoked while the computer was off: one notification at login names all of them.

use std::collections::BTreeSet;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::until_ready;
use usher_tests::{App, Cli, Notification};

use crate::support::{FullDesktop, TITLE, see_connected};

const NAMES: [&str; 3] = ["bees", "notes", "tea"];

/// The app just after login, started hidden.
struct Login {
    // Dropped in this order: the app before the desktop that it runs on.
    _app: App,
    desktop: FullDesktop,
    _demo: Demo,
}

impl Login {
    async fn start() -> Result<Login> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = FullDesktop::start().await?;
        desktop.configure(NAMES.map(|name| (name, demo.url().as_str())))?;
        for name in NAMES {
            Cli::new(&desktop.base).sign_in(name).await?;
        }
        demo.revoke_everything();
        Ok(Login { _app: App::start(&desktop, &["--hidden"])?, desktop, _demo: demo })
    }

    /// Waits for the notification and checks it.
    async fn notification(&self) -> Result<Notification> {
        let shown = self.desktop.notifications.see("3 services need your attention").await?;
        assert!(NAMES.iter().all(|name| shown.body.contains(name)), "{}", shown.body);
        assert!(shown.buttons.last().is_some_and(|last| last.contains("an hour")), "{:?}", shown.buttons);
        self.desktop.tray.see_icon("attention").await?;
        self.desktop.tray.see_text("3 services need your attention").await?;
        Ok(shown)
    }

    /// Presses Allow on the consent page and waits until `count` services are connected.
    async fn allow(&mut self, count: usize) -> Result<()> {
        self.desktop.allow().await?;
        see_connected(&self.desktop.tray, count).await
    }

    fn is_open(&self, notification: &Notification) -> bool {
        self.desktop.notifications.shown().iter().any(|shown| shown.id == notification.id && shown.open)
    }

    /// Checks that all services are connected after one notification, and that the tray distinguishes them although
    /// all three report the same name.
    async fn finish(&self) -> Result<()> {
        self.desktop.tray.see_icon("idle").await?;
        let menu = self.desktop.tray.menu().await?;
        let connected = menu.into_iter().filter(|item| item.label.contains("connected"));
        let labels: BTreeSet<String> = connected.map(|item| item.label).collect();
        assert_eq!(labels.len(), NAMES.len(), "{labels:?}");
        let shown = self.desktop.notifications.shown();
        assert_eq!(shown.len(), 1, "{shown:?}");
        Ok(())
    }
}

#[tokio::test]
async fn the_notification_stays_until_the_last_sign_in() -> Result<()> {
    let mut login = Login::start().await?;
    let notification = login.notification().await?;
    for (signed_in, name) in NAMES.iter().enumerate() {
        assert!(login.is_open(&notification), "closed after {signed_in} of {} sign-ins", NAMES.len());
        login.desktop.tray.click(&format!("Sign in to {name}")).await?;
        login.allow(signed_in + 1).await?;
    }
    until_ready("the notification to close", || Ok((!login.is_open(&notification)).then_some(()))).await?;
    assert_eq!(login.desktop.browser.opened().len(), NAMES.len());
    assert_eq!(login.desktop.windows.find(TITLE)?, None, "a window opened");
    login.finish().await
}

#[tokio::test]
async fn a_button_opens_its_services_consent_page_and_the_tray_lists_the_rest() -> Result<()> {
    let mut login = Login::start().await?;
    let notification = login.notification().await?;
    assert_eq!(login.desktop.browser.opened(), Vec::<String>::new(), "opened before a click");
    login.desktop.notifications.press(&notification, "notes").await?;
    login.desktop.tray.see_item("notes: waiting for your browser").await?;
    login.allow(1).await?;
    assert_eq!(login.desktop.browser.opened().len(), 1);

    login.desktop.tray.see_text("2 services need your attention").await?;
    login.desktop.tray.click("Sign in to tea").await?;
    login.allow(2).await?;

    // A second click opens the same page again, in case the person closed it. It starts no new sign-in.
    login.desktop.tray.click("Sign in to bees").await?;
    login.desktop.tray.click("bees: waiting for your browser").await?;
    let opened = login.desktop.browser.until_opened(4).await?;
    assert_eq!(opened[2], opened[3]);
    login.allow(3).await?;
    login.finish().await
}

#[tokio::test]
async fn a_click_beside_the_buttons_opens_the_window_and_no_browser() -> Result<()> {
    let login = Login::start().await?;
    let notification = login.notification().await?;
    login.desktop.notifications.click(&notification).await?;
    login.desktop.windows.see(TITLE).await?;
    assert_eq!(login.desktop.browser.opened(), Vec::<String>::new());
    Ok(())
}
