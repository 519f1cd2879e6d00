//! A keychain that accepts requests and never replies, like one whose password dialog is hidden behind other windows.

use anyhow::{Context, Result};
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, interface};

use crate::Bus;

struct Secrets;

#[interface(name = "org.freedesktop.Secret.Service")]
impl Secrets {
    async fn open_session(&self, _algorithm: String, _input: Value<'_>) -> zbus::fdo::Result<OwnedValue> {
        std::future::pending().await
    }
}

/// `org.freedesktop.secrets` on one bus, until it is dropped.
#[derive(Debug)]
pub struct UnresponsiveKeychain {
    connection: Connection,
}

impl UnresponsiveKeychain {
    /// Takes the name on the bus.
    pub async fn start(bus: &Bus) -> Result<UnresponsiveKeychain> {
        let connection = bus.serve("org.freedesktop.secrets", "/org/freedesktop/secrets", Secrets).await?;
        Ok(UnresponsiveKeychain { connection })
    }

    /// Releases the name.
    pub async fn stop(self) -> Result<()> {
        self.connection.close().await.context("stop the unresponsive keychain")
    }
}
