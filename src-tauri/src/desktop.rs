//! What this desktop has around the window: a tray, notifications, a start at login. The first two come and go.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use specta::Type;
use tokio::sync::watch;

/// The parts, for Settings: it says honestly what is missing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DesktopView {
    pub tray: TrayPart,
    pub notifications: NotificationsPart,
    pub autostart: AutostartPart,
}

/// Whether Usher is seen in a tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TrayPart {
    /// Not known yet.
    Looking,
    /// Closing the window keeps the app there.
    Shown,
    /// The library that draws it is not installed (libayatana-appindicator3).
    NoLibrary,
    /// Nobody on this desktop shows tray icons; on GNOME an extension does.
    NoHost,
    /// There is no session bus, or the tray could not be made.
    Unavailable,
}

/// What a notification can do here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum NotificationsPart {
    /// Not known yet.
    Looking,
    /// A click on one leads to the sign-in.
    WithActions,
    /// They are seen, and a click does nothing.
    Plain,
    /// Nobody shows them.
    Missing,
}

/// Whether the app starts when the person logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AutostartPart {
    On,
    Off,
    /// The app cannot ask for it here (inside Flatpak or Snap).
    Unavailable,
}

/// The one place of these facts; whoever cares is told of changes.
pub struct DesktopParts(watch::Sender<DesktopView>);

impl DesktopParts {
    /// Nothing is known yet but the start at login.
    pub fn new(autostart: AutostartPart) -> Self {
        let (tray, notifications) = (TrayPart::Looking, NotificationsPart::Looking);
        Self(watch::Sender::new(DesktopView { tray, notifications, autostart }))
    }

    pub fn view(&self) -> DesktopView {
        *self.0.borrow()
    }

    /// Each change from now on.
    pub fn changes(&self) -> watch::Receiver<DesktopView> {
        self.0.subscribe()
    }

    pub fn set_tray(&self, tray: TrayPart) {
        self.change(|view| view.tray = tray);
    }

    pub fn set_notifications(&self, notifications: NotificationsPart) {
        self.change(|view| view.notifications = notifications);
    }

    pub fn set_autostart(&self, autostart: AutostartPart) {
        self.change(|view| view.autostart = autostart);
    }

    /// Whether the window may go and the app stay.
    pub fn has_tray(&self) -> bool {
        self.view().tray == TrayPart::Shown
    }

    /// [`DesktopParts::has_tray`], for which a desktop that is just starting gets some time.
    pub async fn gets_tray(&self, patience: Duration) -> bool {
        let mut views = self.0.subscribe();
        let shown = views.wait_for(|view| view.tray == TrayPart::Shown);
        tokio::time::timeout(patience, shown).await.is_ok_and(|shown| shown.is_ok())
    }

    fn change(&self, change: impl FnOnce(&mut DesktopView)) {
        self.0.send_if_modified(|view| {
            let before = *view;
            change(view);
            *view != before
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_tray_that_comes_late_is_waited_for_and_one_that_never_comes_is_not() {
        let parts = DesktopParts::new(AutostartPart::Off);
        parts.set_tray(TrayPart::NoHost);
        assert!(!parts.gets_tray(Duration::from_secs(5)).await);
        let (came, ()) = tokio::join!(parts.gets_tray(Duration::from_secs(5)), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            parts.set_tray(TrayPart::Shown);
        });
        assert!(came);
    }

    #[test]
    fn only_changes_are_told() {
        let parts = DesktopParts::new(AutostartPart::Off);
        let changes = parts.changes();
        parts.set_autostart(AutostartPart::Off);
        assert!(!changes.has_changed().unwrap());
        parts.set_autostart(AutostartPart::On);
        assert!(changes.has_changed().unwrap());
    }
}
