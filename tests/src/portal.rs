//! A fake desktop portal with one setting: whether the person prefers light or dark.

use anyhow::Result;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::Value;
use zbus::{Connection, interface};

use crate::Bus;

const PATH: &str = "/org/freedesktop/portal/desktop";
const NAMESPACE: &str = "org.freedesktop.appearance";
const KEY: &str = "color-scheme";

/// The values of `color-scheme` (XDG Desktop Portal, Settings).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColorScheme {
    NoPreference = 0,
    Dark = 1,
    Light = 2,
}

/// `org.freedesktop.portal.Desktop` on one bus, until it is dropped.
#[derive(Debug)]
pub struct Portal(Connection);

struct Settings(ColorScheme);

#[interface(name = "org.freedesktop.portal.Settings")]
impl Settings {
    /// Returns a variant inside a variant, as the real portal does.
    fn read(&self, namespace: &str, key: &str) -> zbus::fdo::Result<Value<'static>> {
        if (namespace, key) != (NAMESPACE, KEY) {
            return Err(zbus::fdo::Error::Failed("no such setting".to_owned()));
        }
        Ok(Value::Value(Box::new(Value::U32(self.0 as u32))))
    }

    #[zbus(signal)]
    async fn setting_changed(
        emitter: &SignalEmitter<'_>,
        namespace: &str,
        key: &str,
        value: Value<'_>,
    ) -> zbus::Result<()>;
}

impl Portal {
    /// Takes the name on the bus.
    pub async fn start(bus: &Bus, scheme: ColorScheme) -> Result<Portal> {
        Ok(Portal(bus.serve("org.freedesktop.portal.Desktop", PATH, Settings(scheme)).await?))
    }

    /// Changes the setting.
    pub async fn set(&self, scheme: ColorScheme) -> Result<()> {
        let settings = self.0.object_server().interface::<_, Settings>(PATH).await?;
        settings.get_mut().await.0 = scheme;
        let emitter = settings.signal_emitter();
        Settings::setting_changed(emitter, NAMESPACE, KEY, Value::U32(scheme as u32)).await?;
        Ok(())
    }
}
