//! The one window: only our own pages, shown once there is something to see.

use std::time::Duration;

use tauri::webview::{Color, NewWindowResponse};
use tauri::{AppHandle, Manager, Theme, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::desktop::TrayPart;
use crate::events::{self, PageWanted};
use crate::settings::Appearance;
use crate::shell::Shell;
use crate::wanted::WantedPage;

/// The window's name in capabilities and plugins.
pub const LABEL: &str = "main";

const LIGHT: Color = Color(0xfd, 0xfd, 0xfe, 0xff);
const DARK: Color = Color(0x1c, 0x1e, 0x25, 0xff);

/// How long the page may take before the window is shown as it is: a broken page is seen, not guessed.
const SHOWN_AT_THE_LATEST: Duration = Duration::from_secs(3);

/// How long a session that is just starting may take to bring up its tray.
const TRAY_COMES_WITHIN: Duration = Duration::from_secs(10);

/// Opens the window, or brings it to the front where it is open.
pub fn open(app: &AppHandle) {
    open_at(app, None);
}

/// [`open`], at this page.
pub fn open_at(app: &AppHandle, page: Option<WantedPage>) {
    let is_wanted = page.is_some();
    app.state::<Shell>().wanted.set(page);
    if is_wanted {
        events::tell(app, &PageWanted);
    }
    if app.get_webview_window(LABEL).is_some() {
        return raise(app);
    }
    let app = app.clone();
    // Whoever calls may be in the middle of the event loop, which makes the window.
    tauri::async_runtime::spawn(async move {
        let appearance = app.state::<Shell>().settings.appearance();
        match build(&app, appearance) {
            Ok(_) => {}
            Err(tauri::Error::WebviewLabelAlreadyExists(_) | tauri::Error::WindowLabelAlreadyExists(_)) => {}
            Err(error) => tracing::error!(%error, "the window cannot be opened"),
        }
    });
}

/// Sees to it that the app is never without both a tray and a window: at a hidden start, or when the tray goes away.
pub fn stay_within_reach(app: &AppHandle) {
    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        let desktop = &app.state::<Shell>().desktop;
        let mut changes = desktop.changes();
        loop {
            let patience = match desktop.view().tray {
                TrayPart::Shown => None,
                TrayPart::Looking | TrayPart::NoHost => Some(TRAY_COMES_WITHIN),
                TrayPart::NoLibrary | TrayPart::Unavailable => Some(Duration::ZERO),
            };
            if let Some(patience) = patience
                && app.get_webview_window(LABEL).is_none()
                && !desktop.gets_tray(patience).await
            {
                open(&app);
            }
            if changes.changed().await.is_err() {
                break;
            }
        }
    });
}

/// Makes the window, hidden. `raise` or `show` brings it up.
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
    draw_by_the_processor(&window)?;
    if appearance == Appearance::System {
        window.set_background_color(Some(ground(&window, appearance)))?;
    } else {
        // The builder's theme is not taken everywhere.
        set_appearance(app, appearance)?;
    }

    let app = app.clone();
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(SHOWN_AT_THE_LATEST).await;
        show(&app);
    });
    Ok(window)
}

/// Keeps the web view off the graphics card. It has forms and lists to draw, and no picture that moves. Where the card is
/// a program, setting it up took two fifths of the time to the first screen; and some drivers leave such a window empty.
#[cfg(target_os = "linux")]
fn draw_by_the_processor(window: &WebviewWindow) -> tauri::Result<()> {
    use webkit2gtk::{HardwareAccelerationPolicy, SettingsExt, WebViewExt};

    window.with_webview(|view| {
        if let Some(settings) = view.inner().settings() {
            settings.set_hardware_acceleration_policy(HardwareAccelerationPolicy::Never);
        }
    })
}

/// Shows the window where it is.
pub fn show(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    if !window.is_visible().unwrap_or(false)
        && let Err(error) = window.show()
    {
        tracing::warn!(%error, "the window cannot be shown");
    }
}

/// Changes light and dark; the page follows by `prefers-color-scheme`.
pub fn set_appearance(app: &AppHandle, appearance: Appearance) -> tauri::Result<()> {
    app.set_theme(appearance.theme());
    let Some(window) = app.get_webview_window(LABEL) else { return Ok(()) };
    let ground = ground(&window, appearance);
    if cfg!(target_os = "linux") && appearance == Appearance::System && ground == DARK {
        // GTK takes no theme for the light one, whatever the desktop says. Its changes come through all the same.
        app.set_theme(Some(Theme::Dark));
    }
    window.set_background_color(Some(ground))
}

/// The colour under the page until it is painted: no white flash in a dark room.
fn ground(window: &WebviewWindow, appearance: Appearance) -> Color {
    match appearance.theme().or_else(|| window.theme().ok()) {
        Some(Theme::Dark) => DARK,
        Some(_) | None => LIGHT,
    }
}

/// Brings the window to the front, because the person did something that leads here.
pub fn raise(app: &AppHandle) {
    let Some(window) = app.get_webview_window(LABEL) else { return };
    let raised = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
    if let Err(error) = raised {
        tracing::warn!(%error, "the window cannot be raised");
    }
}

/// The page stays among the files inside the binary, whatever a link or a script in it says.
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
    fn the_page_goes_nowhere_else() {
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
