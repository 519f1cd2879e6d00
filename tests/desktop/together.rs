//! Several sign-ins that ended while the computer was off: one notification at the login names all of them.

use std::collections::BTreeSet;

use anyhow::Result;
use usher_demo::{Demo, DemoOptions};
use usher_tests::wait::{PATIENCE, until_ready};
use usher_tests::{App, Browser, Desktop, Notification, NotificationServer, TrayHost, Windows, walk};

use crate::people::{see_connected, servers, sign_in_by_command};

const NAMES: [&str; 3] = ["bees", "notes", "tea"];

/// The session has just started the app, hidden.
struct Monday {
    // Dropped in this order: those who live on the desktop before it.
    _app: App,
    browser: Browser,
    tray: TrayHost,
    notifications: NotificationServer,
    windows: Windows,
    _desktop: Desktop,
    _demo: Demo,
}

impl Monday {
    async fn begin() -> Result<Monday> {
        let demo = Demo::start(DemoOptions::default()).await?;
        let desktop = Desktop::start().await?;
        desktop.write_config(&servers(&NAMES.map(|name| (name, demo.url().as_str()))))?;
        for name in NAMES {
            sign_in_by_command(&desktop, name).await?;
        }
        demo.revoke_everything();

        let tray = TrayHost::start(desktop.bus()?).await?;
        let notifications = NotificationServer::start(desktop.bus()?).await?;
        let browser = Browser::install(&desktop)?;
        let windows = Windows::of(desktop.display()?)?;
        let app = App::start(&desktop, &["--hidden"])?;
        Ok(Monday { _app: app, browser, tray, notifications, windows, _desktop: desktop, _demo: demo })
    }

    /// The one notification, as it must be.
    async fn told(&self) -> Result<Notification> {
        let told = self.notifications.see("3 services need your attention").await?;
        assert!(NAMES.iter().all(|name| told.body.contains(name)), "{}", told.body);
        assert!(told.buttons.last().is_some_and(|last| last.contains("an hour")), "{:?}", told.buttons);
        self.tray.see("needs-you").await?;
        self.tray.see_words("3 services need your attention").await?;
        Ok(told)
    }

    /// Says yes on the page that the browser shows; with it, so many are settled.
    async fn allow(&mut self, settled: usize) -> Result<()> {
        walk::consent(&mut self.browser).await?.press("#allow").await?;
        see_connected(&self.tray, settled).await
    }

    fn is_on_the_screen(&self, told: &Notification) -> bool {
        self.notifications.shown().iter().any(|shown| shown.id == told.id && shown.open)
    }

    /// All is settled, it was told once, and nobody is taken for another, though all three call themselves the same.
    async fn ends_well(&self) -> Result<()> {
        self.tray.see("well").await?;
        let connected = self.tray.menu().await?.into_iter().filter(|line| line.label.contains("connected"));
        let labels: BTreeSet<String> = connected.map(|line| line.label).collect();
        assert_eq!(labels.len(), NAMES.len(), "{labels:?}");
        let shown = self.notifications.shown();
        assert_eq!(shown.len(), 1, "{shown:?}");
        Ok(())
    }
}

#[tokio::test]
async fn the_notification_stays_until_the_last_of_them_is_settled() -> Result<()> {
    let mut monday = Monday::begin().await?;
    let told = monday.told().await?;
    for (settled, name) in NAMES.iter().enumerate() {
        assert!(monday.is_on_the_screen(&told), "gone after {settled} of {}", NAMES.len());
        monday.tray.click(&format!("Sign in to {name}")).await?;
        monday.allow(settled + 1).await?;
    }
    until_ready("the notification to be gone", PATIENCE, || {
        Ok((!monday.is_on_the_screen(&told)).then_some(()))
    })
    .await?;
    assert_eq!(monday.browser.opened().len(), NAMES.len());
    assert_eq!(monday.windows.find("Usher")?, None, "no window was asked for");
    monday.ends_well().await
}

#[tokio::test]
async fn a_button_leads_straight_to_its_services_page_and_the_tray_keeps_the_rest() -> Result<()> {
    let mut monday = Monday::begin().await?;
    let told = monday.told().await?;
    assert_eq!(monday.browser.opened(), Vec::<String>::new(), "nobody clicked yet");
    monday.notifications.press(&told, "notes").await?;
    monday.tray.see_line("notes: waiting for your browser").await?;
    monday.allow(1).await?;
    assert_eq!(monday.browser.opened().len(), 1);

    monday.tray.see_words("2 services need your attention").await?;
    monday.tray.click("Sign in to tea").await?;
    monday.allow(2).await?;

    // A page that was lost among other windows is shown once more, not begun anew.
    monday.tray.click("Sign in to bees").await?;
    monday.tray.click("bees: waiting for your browser").await?;
    until_ready("the browser to be asked again", PATIENCE, || {
        Ok((monday.browser.opened().len() == 4).then_some(()))
    })
    .await?;
    let opened = monday.browser.opened();
    assert_eq!(opened[2], opened[3]);
    monday.allow(3).await?;
    monday.ends_well().await
}

#[tokio::test]
async fn a_click_beside_the_buttons_opens_the_window_and_no_browser() -> Result<()> {
    let monday = Monday::begin().await?;
    let told = monday.told().await?;
    monday.notifications.click(&told).await?;
    monday.windows.see("Usher").await?;
    assert_eq!(monday.browser.opened(), Vec::<String>::new());
    Ok(())
}
