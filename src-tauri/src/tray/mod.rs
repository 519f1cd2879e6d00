//! Usher in the tray: what it shows follows the engine, and where it is shown follows the desktop.

pub mod content;
mod ground;
#[cfg(target_os = "linux")]
mod host;
mod icon;

use tauri::{AppHandle, Manager};
use tokio::sync::{mpsc, watch};

use self::content::Content;
use self::ground::Ground;
use self::icon::Icon;
use crate::desktop::TrayPart;
use crate::shell::Shell;

/// What the tray is to show; its icon is made when there is a tray.
pub struct Tray {
    content: watch::Sender<Content>,
    ground: watch::Sender<Ground>,
}

impl Tray {
    pub fn new() -> Self {
        Self { content: watch::Sender::new(Content::starting()), ground: watch::Sender::default() }
    }

    /// Shows this from now on.
    pub fn show(&self, content: Content) {
        self.content.send_if_modified(|shown| {
            let differs = *shown != content;
            *shown = content;
            differs
        });
    }
}

/// Looks for a tray and keeps Usher in it, for as long as the app runs.
pub fn begin(app: &AppHandle) {
    let (hosts, mut shown) = mpsc::unbounded_channel();
    look_for_tray(app, hosts);
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let shell = app.state::<Shell>();
        let mut content = shell.tray.content.subscribe();
        let mut ground = shell.tray.ground.subscribe();
        let mut icon: Option<Icon> = None;
        loop {
            tokio::select! {
                Some(is_shown) = shown.recv() => {
                    if is_shown && icon.is_none() {
                        let (content, ground) = (content.borrow_and_update().clone(), *ground.borrow_and_update());
                        icon = Icon::make(&app, &content, ground)
                            .inspect_err(|error| tracing::warn!(%error, "the tray could not be made"))
                            .ok();
                    }
                    shell.desktop.set_tray(match (is_shown, &icon) {
                        (true, Some(_)) => TrayPart::Shown,
                        (true, None) => TrayPart::Unavailable,
                        (false, _) => TrayPart::NoHost,
                    });
                }
                Ok(()) = content.changed() => {}
                Ok(()) = ground.changed() => {}
                else => break,
            }
            if let Some(icon) = &mut icon {
                let (content, ground) = (content.borrow_and_update().clone(), *ground.borrow_and_update());
                if let Err(error) = icon.show(&app, &content, ground) {
                    tracing::warn!(%error, "the tray shows what was before");
                }
            }
        }
    });
}

/// Sends whether tray icons are shown, at each change.
#[cfg(target_os = "linux")]
fn look_for_tray(app: &AppHandle, hosts: mpsc::UnboundedSender<bool>) {
    if !host::has_library() {
        app.state::<Shell>().desktop.set_tray(TrayPart::NoLibrary);
        return;
    }
    let handle = app.clone();
    tauri::async_runtime::spawn(async move {
        // Whoever closed the other end is gone with the app.
        let tell = |is_shown| {
            let _ = hosts.send(is_shown);
        };
        let watched = host::watch(tell).await;
        if let Err(error) = watched {
            tracing::info!(%error, "no tray");
            handle.state::<Shell>().desktop.set_tray(TrayPart::Unavailable);
        }
    });
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let tell = |ground| {
            app.state::<Shell>().tray.ground.send_replace(ground);
        };
        if let Err(error) = ground::watch(tell).await {
            tracing::info!(%error, "the desktop does not tell whether it is light or dark");
        }
    });
}

/// Every macOS and Windows has a tray.
#[cfg(not(target_os = "linux"))]
fn look_for_tray(_app: &AppHandle, hosts: mpsc::UnboundedSender<bool>) {
    drop(hosts.send(true));
}
