//! Usher's tray icon. Its content depends on the engine's state. It exists only if the desktop has a tray.

pub mod content;
#[cfg(target_os = "linux")]
mod host;
mod icon;
mod panel_color;

use tauri::{AppHandle, Manager};
use tokio::sync::{mpsc, watch};

use self::content::Content;
use self::icon::Icon;
use self::panel_color::PanelColor;
use crate::desktop_features::{DesktopFeatures, TraySupport};

/// The content of the tray. The icon is created when the desktop has a tray.
pub struct Tray {
    content: watch::Sender<Content>,
    panel_color: watch::Sender<PanelColor>,
}

impl Tray {
    pub fn new() -> Self {
        Self { content: watch::Sender::new(Content::starting()), panel_color: watch::Sender::default() }
    }

    pub fn show(&self, content: Content) {
        self.content.send_if_modified(|shown| {
            let differs = *shown != content;
            *shown = content;
            differs
        });
    }
}

/// Waits for a tray and keeps the icon in it while the app runs.
pub fn start(app: &AppHandle) {
    let (hosts, mut shown) = mpsc::unbounded_channel();
    watch_desktop(app, hosts);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let tray = app.state::<Tray>();
        let desktop = app.state::<DesktopFeatures>();
        let mut content = tray.content.subscribe();
        let mut color = tray.panel_color.subscribe();
        let mut icon: Option<Icon> = None;
        loop {
            tokio::select! {
                Some(is_shown) = shown.recv() => {
                    if is_shown && icon.is_none() {
                        let (content, color) = (content.borrow_and_update().clone(), *color.borrow_and_update());
                        icon = Icon::new(&app, &content, color)
                            .inspect_err(|error| tracing::warn!(%error, "could not create the tray icon"))
                            .ok();
                    }
                    desktop.set_tray(match (is_shown, &icon) {
                        (true, Some(_)) => TraySupport::Shown,
                        (true, None) => TraySupport::Unavailable,
                        (false, _) => TraySupport::NoHost,
                    });
                }
                Ok(()) = content.changed() => {}
                Ok(()) = color.changed() => {}
                else => break,
            }
            if let Some(icon) = &mut icon {
                let (content, color) = (content.borrow_and_update().clone(), *color.borrow_and_update());
                if let Err(error) = icon.show(&app, &content, color) {
                    tracing::warn!(%error, "could not update the tray icon");
                }
            }
        }
    });
}

/// Sends whether the desktop shows tray icons, now and at each change. Also watches the panel's colour.
#[cfg(target_os = "linux")]
fn watch_desktop(app: &AppHandle, hosts: mpsc::UnboundedSender<bool>) {
    if !host::has_library() {
        app.state::<DesktopFeatures>().set_tray(TraySupport::NoLibrary);
        return;
    }
    let handle = app.clone();
    tauri::async_runtime::spawn(async move {
        // The receiver is closed only when the app ends.
        let report = |is_shown| {
            let _ = hosts.send(is_shown);
        };
        if let Err(error) = host::watch(report).await {
            tracing::info!(%error, "there is no tray");
            handle.state::<DesktopFeatures>().set_tray(TraySupport::Unavailable);
        }
    });
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let report = |color| {
            app.state::<Tray>().panel_color.send_replace(color);
        };
        if let Err(error) = panel_color::watch(report).await {
            tracing::info!(%error, "the desktop does not report whether it is light or dark");
        }
    });
}

/// macOS and Windows always have a tray.
#[cfg(not(target_os = "linux"))]
fn watch_desktop(_app: &AppHandle, hosts: mpsc::UnboundedSender<bool>) {
    drop(hosts.send(true));
}
