//! The desktop's support for a tray, notifications and starting at login. The first two can change at any time.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use specta::Type;
use tokio::sync::watch;

/// The supported features, shown in Settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
pub struct DesktopView {
    pub tray: TraySupport,
    pub notifications: NotificationSupport,
    pub autostart: AutostartState,
}

/// Whether the desktop shows Usher in a tray.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum TraySupport {
    /// The support is still unknown.
    Checking,
    /// The tray shows the icon, and the app keeps running when its window is closed.
    Shown,
    /// The library that draws the icon is not installed (libayatana-appindicator3).
    NoLibrary,
    /// The desktop shows no tray icons. On GNOME an extension adds them.
    NoHost,
    /// There is no session bus, or the icon could not be created.
    Unavailable,
}

/// The desktop's support for notifications.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum NotificationSupport {
    /// The support is still unknown.
    Checking,
    /// Notifications are shown, and a click on one opens the sign-in.
    WithActions,
    /// Notifications are shown, but a click does nothing.
    Plain,
    /// The desktop shows no notifications.
    Missing,
}

/// Whether the app starts when the person logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Type)]
#[serde(rename_all = "snake_case")]
pub enum AutostartState {
    On,
    Off,
    /// The app cannot change this setting, for example inside Flatpak or Snap.
    Unavailable,
}

/// The current features, and their changes.
pub struct DesktopFeatures(watch::Sender<DesktopView>);

impl DesktopFeatures {
    /// Creates the features, with the support for a tray and notifications still unknown.
    pub fn new(autostart: AutostartState) -> Self {
        let (tray, notifications) = (TraySupport::Checking, NotificationSupport::Checking);
        Self(watch::Sender::new(DesktopView { tray, notifications, autostart }))
    }

    pub fn view(&self) -> DesktopView {
        *self.0.borrow()
    }

    /// Subscribes to changes.
    pub fn changes(&self) -> watch::Receiver<DesktopView> {
        self.0.subscribe()
    }

    pub fn set_tray(&self, tray: TraySupport) {
        self.change(|view| view.tray = tray);
    }

    pub fn set_notifications(&self, notifications: NotificationSupport) {
        self.change(|view| view.notifications = notifications);
    }

    pub fn set_autostart(&self, autostart: AutostartState) {
        self.change(|view| view.autostart = autostart);
    }

    /// Whether the app can keep running without a window.
    pub fn has_tray(&self) -> bool {
        self.view().tray == TraySupport::Shown
    }

    /// Waits for the tray, which may appear late while the desktop is starting. Returns whether it appeared.
    pub async fn wait_for_tray(&self, timeout: Duration) -> bool {
        let mut views = self.0.subscribe();
        let shown = views.wait_for(|view| view.tray == TraySupport::Shown);
        tokio::time::timeout(timeout, shown).await.is_ok_and(|shown| shown.is_ok())
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
    async fn the_wait_for_a_late_tray_ends_at_the_timeout() {
        let features = DesktopFeatures::new(AutostartState::Off);
        features.set_tray(TraySupport::NoHost);
        assert!(!features.wait_for_tray(Duration::from_secs(5)).await);
        let (shown, ()) = tokio::join!(features.wait_for_tray(Duration::from_secs(5)), async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            features.set_tray(TraySupport::Shown);
        });
        assert!(shown);
    }

    #[test]
    fn only_changes_are_reported() {
        let features = DesktopFeatures::new(AutostartState::Off);
        let changes = features.changes();
        features.set_autostart(AutostartState::Off);
        assert!(!changes.has_changed().unwrap());
        features.set_autostart(AutostartState::On);
        assert!(changes.has_changed().unwrap());
    }
}
