//! The colour of the panel behind the tray icon.

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum PanelColor {
    Light,
    Dark,
    /// The desktop does not report the colour.
    #[default]
    Unknown,
}

/// Derives the colour from the desktop's name (`XDG_CURRENT_DESKTOP`) and the portal's `color-scheme` (1 prefers dark,
/// 2 prefers light). GNOME's panel is always dark.
#[cfg(any(target_os = "linux", test))]
pub fn derive_panel_color(desktop: Option<&str>, color_scheme: Option<u32>) -> PanelColor {
    let is_gnome =
        desktop.is_some_and(|names| names.split(':').any(|name| name.eq_ignore_ascii_case("gnome")));
    match color_scheme {
        _ if is_gnome => PanelColor::Dark,
        Some(1) => PanelColor::Dark,
        Some(2) => PanelColor::Light,
        Some(_) | None => PanelColor::Unknown,
    }
}

#[cfg(target_os = "linux")]
mod portal {
    use futures::StreamExt;
    use zbus::zvariant::{OwnedValue, Value};
    use zbus::{Connection, proxy};

    use super::PanelColor;

    const NAMESPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";

    #[proxy(
        interface = "org.freedesktop.portal.Settings",
        default_service = "org.freedesktop.portal.Desktop",
        default_path = "/org/freedesktop/portal/desktop",
        gen_blocking = false
    )]
    trait Settings {
        fn read(&self, namespace: &str, key: &str) -> zbus::Result<OwnedValue>;
        #[zbus(signal)]
        fn setting_changed(&self, namespace: &str, key: &str, value: Value<'_>) -> zbus::Result<()>;
    }

    /// Reports the current colour and each change, until the session bus closes.
    pub async fn watch(report: impl Fn(PanelColor)) -> zbus::Result<()> {
        let desktop = std::env::var("XDG_CURRENT_DESKTOP").ok();
        let connection = Connection::session().await?;
        let settings = SettingsProxy::new(&connection).await?;
        let mut changes = settings.receive_setting_changed().await?;
        let scheme = settings.read(NAMESPACE, KEY).await.ok().and_then(|value| number(&value));
        report(super::derive_panel_color(desktop.as_deref(), scheme));
        while let Some(change) = changes.next().await {
            if let Ok(change) = change.args()
                && (*change.namespace(), *change.key()) == (NAMESPACE, KEY)
            {
                report(super::derive_panel_color(desktop.as_deref(), number(change.value())));
            }
        }
        Ok(())
    }

    /// Unwraps the number. `Read` returns a variant inside a variant.
    fn number(value: &Value<'_>) -> Option<u32> {
        match value {
            Value::U32(number) => Some(*number),
            Value::Value(inner) => number(inner),
            _ => None,
        }
    }
}

#[cfg(target_os = "linux")]
pub use portal::watch;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreported_colour_is_not_guessed() {
        for (desktop, scheme, color) in [
            (Some("KDE"), Some(2), PanelColor::Light),
            (Some("KDE"), Some(1), PanelColor::Dark),
            (Some("KDE"), Some(0), PanelColor::Unknown),
            (Some("ubuntu:GNOME"), Some(2), PanelColor::Dark),
            (None, Some(2), PanelColor::Light),
            (None, None, PanelColor::Unknown),
            (Some("GNOME"), None, PanelColor::Dark),
        ] {
            assert_eq!(derive_panel_color(desktop, scheme), color, "{desktop:?} {scheme:?}");
        }
    }
}
