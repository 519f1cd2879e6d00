//! The app's window. It shows only Usher's own page, and appears once that page is ready.

pub mod page_request;
pub mod unsaved_text;

use std::time::{Duration, Instant};

use tauri::webview::{Color, NewWindowResponse};
use tauri::{AppHandle, Manager, Theme, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use self::page_request::{PageRequest, PageRequests};
use self::unsaved_text::UnsavedText;
use crate::desktop_features::{DesktopFeatures, TraySupport};
use crate::events::{self, CloseRequested, Closing, PageRequested};
use crate::settings::{Appearance, Settings};

/// The window's label in capabilities and plugins.
pub const LABEL: &str = "main";

const LIGHT: Color = Color(0xfd, 0xfd, 0xfe, 0xff);
const DARK: Color = Color(0x1c, 0x1e, 0x25, 0xff);

/// The delay after which the window is shown even if its page is not ready, so that a broken page is visible.
const SHOW_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a starting desktop may take to show its tray.
const TRAY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the window, or brings it to the front if it is open.
pub fn open(app: &AppHandle) {
    open_at(app, None);
}

/// Opens the window at the given page.
pub fn open_at(app: &AppHandle, page: Option<PageRequest>) {
    let has_page = page.is_some();
    app.state::<PageRequests>().set(page);
    if has_page {
        events::emit(app, &PageRequested);
    }
    if app.get_webview_window(LABEL).is_some() {
        return raise(app);
    }
    let app = app.clone();
    // The caller may be inside the event loop, which must be free to create the window.
    tauri::async_runtime::spawn(async move {
        let appearance = app.state::<Settings>().appearance();
        match build(&app, appearance) {
            Ok(_) => {}
            Err(tauri::Error::WebviewLabelAlreadyExists(_) | tauri::Error::WindowLabelAlreadyExists(_)) => {}
            Err(error) => tracing::error!(%error, "could not open the window"),
        }
    });
}

/// Opens the window when the app has no tray: after a hidden start, or when the tray disappears.
pub fn keep_reachable(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let desktop = app.state::<DesktopFeatures>();
        let mut changes = desktop.changes();
        loop {
            let timeout = match desktop.view().tray {
                TraySupport::Shown => None,
                TraySupport::Checking | TraySupport::NoHost => Some(TRAY_TIMEOUT),
                TraySupport::NoLibrary | TraySupport::Unavailable => Some(Duration::ZERO),
            };
            if let Some(timeout) = timeout
                && app.get_webview_window(LABEL).is_none()
                && !desktop.wait_for_tray(timeout).await
            {
                open(&app);
            }
            if changes.changed().await.is_err() {
                break;
            }
        }
    });
}

/// Creates the window, hidden. [`show`] or [`raise`] makes it visible.
pub fn build(app: &AppHandle, appearance: Appearance) -> tauri::Result<WebviewWindow> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Usher")
        .inner_size(1200.0, 800.0)
        .min_inner_size(640.0, 480.0)
        .center()
        .visible(false)
        .theme(appearance.theme())
        .devtools(cfg!(debug_assertions))
        .on_navigation(is_own_page)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    #[cfg(target_os = "linux")]
    disable_gpu_compositing(&window)?;
    if appearance == Appearance::System {
        window.set_background_color(Some(background(&window, appearance)))?;
    } else {
        // Not every system applies the builder's theme.
        set_appearance(app, appearance)?;
    }

    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(SHOW_TIMEOUT).await;
        show(&app);
    });
    Ok(window)
}

/// Disables GPU compositing. The page has no animations that need it. With software rendering, initialising the
/// compositing took 40 % of the time to the first frame. With some drivers, GPU compositing leaves the window empty.
#[cfg(target_os = "linux")]
fn disable_gpu_compositing(window: &WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

    window.with_webview(|view| {
        if let Some(settings) = view.inner().settings() {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    })
}

/// Shows the window without raising it.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    if !window.is_visible().unwrap_or(false)
        && let Err(error) = window.show()
    {
        tracing::warn!(%error, "could not show the window");
    }
}

/// Changes between light and dark. The page follows with `prefers-color-scheme`.
pub fn set_appearance(app: &AppHandle, appearance: Appearance) -> tauri::Result<()> {
    app.set_theme(appearance.theme());
    let Some(window) = app.get_webview_window(LABEL) else { return Ok(()) };
    let background = background(&window, appearance);
    if cfg!(target_os = "linux") && appearance == Appearance::System && background == DARK {
        // Without a theme GTK is light, even on a dark desktop. Later theme changes of the desktop still take effect.
        app.set_theme(Some(Theme::Dark));
    }
    window.set_background_color(Some(background))
}

/// Returns the colour behind the page, so that a dark window does not flash white before the first paint.
fn background(window: &WebviewWindow, appearance: Appearance) -> Color {
    match appearance.theme().or_else(|| window.theme().ok()) {
        Some(Theme::Dark) => DARK,
        Some(_) | None => LIGHT,
    }
}

/// Brings the window to the front. Call this only in response to an action by the person, so that the window does not
/// steal the focus.
pub fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let raised = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = raised {
        tracing::warn!(%error, "could not raise the window");
    }
}

/// Brings the window to the front and requests a page, if the window is open. See [`raise`].
pub fn raise_at(app: &AppHandle, page: PageRequest) {
    if app.get_webview_window(LABEL).is_some() {
        open_at(app, Some(page));
    }
}

/// Returns whether the window may close, or the app may quit. If an unsaved text would be lost, tells the page to ask
/// the person.
pub fn may_end(app: &AppHandle, closing: Closing) -> bool {
    let may_end = app.state::<UnsavedText>().may_end(Instant::now());
    if !may_end {
        events::emit(app, &CloseRequested(closing));
    }
    may_end
}

/// Whether the address is one of the pages embedded in the binary. No link or script may navigate elsewhere.
fn is_own_page(url: &Url) -> bool {
    let origin = (url.scheme(), url.host_str(), url.port());
    if cfg!(windows) {
        origin == ("http", Some("tauri.localhost"), None)
    } else {
        origin == ("tauri", Some("localhost"), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(not(windows))]
    #[test]
    fn the_window_navigates_only_to_its_own_page() {
        for (address, own) in [
            ("tauri://localhost/", true),
            ("tauri://localhost/index.html?a#b", true),
            ("tauri://localhost:81/", false),
            ("tauri://example.com/", false),
            ("http://tauri.localhost/", false),
            ("https://localhost/", false),
            ("about:blank", false),
            ("data:text/html,x", false),
            ("file:///etc/passwd", false),
            ("javascript:1", false),
            ("blob:tauri://localhost/1", false),
        ] {
            assert_eq!(is_own_page(&address.parse().unwrap()), own, "{address}");
        }
    }
}
