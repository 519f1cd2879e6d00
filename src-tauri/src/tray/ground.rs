//! Whether the panel that the tray's picture stands on is light or dark.

/// What the picture must be seen on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Ground {
    Light,
    Dark,
    /// Nobody tells.
    #[default]
    Unknown,
}

/// Reads what a desktop tells of itself: its name (`XDG_CURRENT_DESKTOP`) and the portal's `color-scheme` (1 prefers
/// dark, 2 prefers light). GNOME's panel is dark whatever the windows are.
#[cfg(any(target_os = "linux", test))]
pub fn of(desktop: Option<&str>, color_scheme: Option<u32>) -> Ground {
    let is_gnome =
        desktop.is_some_and(|names| names.split(':').any(|name| name.eq_ignore_ascii_case("gnome")));
    match color_scheme {
        _ if is_gnome => Ground::Dark,
        Some(1) => Ground::Dark,
        Some(2) => Ground::Light,
        Some(_) | None => Ground::Unknown,
    }
}

#[cfg(target_os = "linux")]
mod portal {
    use futures::StreamExt;
    use zbus::zvariant::{OwnedValue, Value};
    use zbus::{Connection, proxy};

    use super::Ground;

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

    /// Tells the ground, now and at each change, for as long as there is a session bus.
    pub async fn watch(tell: impl Fn(Ground)) -> zbus::Result<()> {
        let desktop = std::env::var("XDG_CURRENT_DESKTOP").ok();
        let connection = Connection::session().await?;
        let settings = SettingsProxy::new(&connection).await?;
        let mut changes = settings.receive_setting_changed().await?;
        let scheme = settings.read(NAMESPACE, KEY).await.ok().and_then(|value| number(&value));
        tell(super::of(desktop.as_deref(), scheme));
        while let Some(change) = changes.next().await {
            if let Ok(change) = change.args()
                && (*change.namespace(), *change.key()) == (NAMESPACE, KEY)
            {
                tell(super::of(desktop.as_deref(), number(change.value())));
            }
        }
        Ok(())
    }

    /// `Read` wraps its answer once more than it should, and everybody relies on that.
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
    fn what_nobody_tells_is_not_guessed() {
        for (desktop, scheme, ground) in [
            (Some("KDE"), Some(2), Ground::Light),
            (Some("KDE"), Some(1), Ground::Dark),
            (Some("KDE"), Some(0), Ground::Unknown),
            (Some("ubuntu:GNOME"), Some(2), Ground::Dark),
            (None, Some(2), Ground::Light),
            (None, None, Ground::Unknown),
            (Some("GNOME"), None, Ground::Dark),
        ] {
            assert_eq!(of(desktop, scheme), ground, "{desktop:?} {scheme:?}");
        }
    }
}
