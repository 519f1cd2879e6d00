//! Whether somebody on this desktop shows tray icons, and whether the library that draws ours is there (Linux).

use futures::StreamExt;
use zbus::proxy::CacheProperties;
use zbus::{Connection, proxy};

/// The libraries that Tauri's tray takes, in its order.
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

/// Whether the tray can be drawn: making one without the library ends the process.
pub fn has_library() -> bool {
    LIBRARIES.iter().any(|name| is_loadable(name))
}

#[expect(
    unsafe_code,
    reason = "only the loader itself knows what it finds; Tauri's tray loads the same library next"
)]
fn is_loadable(name: &str) -> bool {
    // SAFETY: the library's own initialisers run, as they do a moment later on behalf of the tray.
    unsafe { libloading::Library::new(name) }.is_ok()
}

/// Tells whether tray icons are shown, now and at each change; an error where there is no session bus (any more).
pub async fn watch(tell: impl Fn(bool)) -> zbus::Result<()> {
    let connection = Connection::session().await?;
    // Uncached: the property is asked for at moments when it may have changed without a word.
    let watcher = StatusNotifierWatcherProxy::builder(&connection)
        .cache_properties(CacheProperties::No)
        .build()
        .await?;
    let mut owners = watcher.inner().receive_owner_changed().await?;
    let mut came = watcher.receive_status_notifier_host_registered().await?;
    let mut went = watcher.receive_status_notifier_host_unregistered().await?;
    loop {
        // An absent watcher is an error here. The property is missing from some small ones.
        let shown = match watcher.is_status_notifier_host_registered().await {
            Ok(registered) => registered,
            Err(_) => {
                zbus::fdo::DBusProxy::new(&connection)
                    .await?
                    .name_has_owner(watcher.inner().destination().to_owned())
                    .await?
            }
        };
        tell(shown);
        let goes_on = tokio::select! {
            owner = owners.next() => owner.is_some(),
            signal = came.next() => signal.is_some(),
            signal = went.next() => signal.is_some(),
        };
        if !goes_on {
            return Err(zbus::Error::Failure("the session bus is gone".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_that_is_nowhere_is_not_loadable() {
        assert!(!is_loadable("libusher-of-nobody.so.1"));
    }
}
