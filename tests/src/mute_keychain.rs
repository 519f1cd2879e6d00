//! A keychain that takes every question and never answers, as one that waits for a password behind other windows.

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
pub struct MuteKeychain {
    connection: Connection,
}

impl MuteKeychain {
    /// Takes the name on the bus.
    pub async fn start(bus: &Bus) -> Result<MuteKeychain> {
        let connection = zbus::connection::Builder::address(bus.address())?
            .serve_at("/org/freedesktop/secrets", Secrets)?
            .name("org.freedesktop.secrets")?
            .build()
            .await
            .context("no mute keychain")?;
        Ok(MuteKeychain { connection })
    }

    /// Gives the name back.
    pub async fn end(self) -> Result<()> {
        self.connection.close().await.context("the mute keychain did not end")
    }
}
