//! The desktop's tray, and the library that draws Usher's icon in it (Linux).

use futures::StreamExt;
use zbus::proxy::CacheProperties;
use zbus::{Connection, proxy};

/// The libraries that Tauri's tray tries to load, in the same order.
const LIBRARIES: [&str; 2] = ["libayatana-appindicator3.so.1", "libappindicator3.so.1"];

#[proxy(
    interface = "org.kde.StatusNotifierWatcher",
    default_service = "org.kde.StatusNotifierWatcher",
    default_path = "/StatusNotifierWatcher",
    gen_blocking = false
)]
trait StatusNotifierWatcher {
    #[zbus(property(emits_changed_signal = "false"))]
    fn is_status_notifier_host_registered(&self) -> zbus::Result<bool>;
    #[zbus(signal)]
    fn status_notifier_host_registered(&self) -> zbus::Result<()>;
    #[zbus(signal)]
    fn status_notifier_host_unregistered(&self) -> zbus::Result<()>;
}

/// Whether the icon can be drawn. Creating an icon without the library ends the process.
pub fn has_library() -> bool {
    LIBRARIES.iter().any(|name| is_loadable(name))
}

#[expect(
    unsafe_code,
    reason = "loading a library runs its code, but Tauri's tray loads the same library next"
)]
fn is_loadable(name: &str) -> bool {
    // SAFETY: this runs the library's initialisers, which run anyway when the tray loads it.
    unsafe { libloading::Library::new(name) }.is_ok()
}

/// Reports whether tray icons are shown, now and at each change. Fails without a session bus, or when the bus closes.
pub async fn watch(report: impl Fn(bool)) -> zbus::Result<()> {
    let connection = Connection::session().await?;
    // Uncached: the property may have changed without a signal.
    let watcher = StatusNotifierWatcherProxy::builder(&connection)
        .cache_properties(CacheProperties::No)
        .build()
        .await?;
    let mut owners = watcher.inner().receive_owner_changed().await?;
    let mut registered = watcher.receive_status_notifier_host_registered().await?;
    let mut unregistered = watcher.receive_status_notifier_host_unregistered().await?;
    loop {
        // This fails if there is no watcher, but also if the watcher lacks the property.
        let shown = match watcher.is_status_notifier_host_registered().await {
            Ok(is_registered) => is_registered,
            Err(_) => {
                zbus::fdo::DBusProxy::new(&connection)
                    .await?
                    .name_has_owner(watcher.inner().destination().to_owned())
                    .await?
            }
        };
        report(shown);
        let is_connected = tokio::select! {
            owner = owners.next() => owner.is_some(),
            signal = registered.next() => signal.is_some(),
            signal = unregistered.next() => signal.is_some(),
        };
        if !is_connected {
            return Err(zbus::Error::Failure("the session bus has closed".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_not_loadable() {
        assert!(!is_loadable("libusher-missing.so.1"));
    }
}
