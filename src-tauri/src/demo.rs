//! The demo service inside the app. It starts when the person first tries it, and from then on whenever the app
//! starts.
//!
//! The demo's tokens contain its address and are signed with its key. The port and the key are stored, so that a
//! sign-in survives a restart of the app.

use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use usher_api::{ErrorView, ServerId};
use usher_config::{ConfigFile, Environment, NewServer};
use usher_demo::{Demo, DemoOptions};
use usher_secrets::{SecretStore, StoreKind};

use crate::{error, state_file};

/// The demo's name in `mcp.json`.
const NAME: &str = "demo";
/// The name of the demo's key in the secret store.
const KEY: &str = "usher-demo-key";

/// The content of `demo.json` in the state folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct DemoState {
    port: u16,
}

/// The demo service, running or not.
pub struct DemoSlot {
    state_path: PathBuf,
    config: ConfigFile,
    running: Mutex<Option<Demo>>,
}

impl DemoSlot {
    pub fn new(state_dir: &std::path::Path, config: PathBuf) -> Self {
        Self {
            state_path: state_dir.join("demo.json"),
            config: ConfigFile::new(config, Environment::of_process()),
            running: Mutex::new(None),
        }
    }

    /// Starts the demo if it is in `mcp.json`, and returns whether it is running. If its port is in use, the demo
    /// gets another port, and its entry in `mcp.json` is updated.
    pub async fn resume(&self, store: StoreKind) -> bool {
        let Some(DemoState { port }) = state_file::load(&self.state_path) else { return false };
        let Ok(config) = self.config.load() else { return false };
        let is_demo = |url: &url::Url| url.host_str() == Some("127.0.0.1") && url.port() == Some(port);
        if !config.server(NAME).and_then(|server| server.transport.url()).is_some_and(is_demo) {
            return false;
        }
        match self.start(store).await {
            Ok(url) if url.port() == Some(port) => true,
            Ok(url) => {
                let moved =
                    self.config.remove(NAME).and_then(|_| self.config.add(NAME, &NewServer::http(url)));
                if let Err(error) = moved {
                    tracing::warn!(%error, "the demo has a new port, but its entry in mcp.json could not be changed");
                }
                true
            }
            Err(error) => {
                tracing::warn!(error = error.message, "the demo could not be started");
                false
            }
        }
    }

    /// Starts the demo if it is not running, and returns its address.
    pub async fn start(&self, store: StoreKind) -> Result<url::Url, ErrorView> {
        let mut running = self.running.lock().await;
        if let Some(demo) = &*running {
            return Ok(demo.url().clone());
        }
        let signing_key = Some(signing_key(store).await?);
        let port = state_file::load(&self.state_path).map(|DemoState { port }| port);
        let options = DemoOptions { port, signing_key, ..DemoOptions::default() };
        let started = match Demo::start(options.clone()).await {
            Err(_) if port.is_some() => Demo::start(DemoOptions { port: None, ..options }).await,
            started => started,
        };
        let demo = started.map_err(|why| error::internal("Could not start the demo.", "Try again.", why))?;
        if let Err(error) = state_file::save(&self.state_path, &DemoState { port: demo.port() }) {
            tracing::warn!(%error, "the demo's port could not be saved");
        }
        Ok(running.insert(demo).url().clone())
    }

    pub fn id() -> ServerId {
        ServerId(NAME.to_owned())
    }
}

/// Returns the stored key, or creates and stores one.
async fn signing_key(store: StoreKind) -> Result<[u8; 32], ErrorView> {
    let describe = |why: usher_secrets::Error| usher_engine::describe_secret_error(&why);
    let store = SecretStore::open_without_prompt(store);
    let known = store.named(KEY).await.map_err(describe)?;
    if let Some(key) = known.and_then(|secret| from_hex(secret.expose_secret())) {
        return Ok(key);
    }
    let key: [u8; 32] = rand::random();
    store.put_named(KEY, &SecretString::from(to_hex(&key))).await.map_err(describe)?;
    Ok(key)
}

fn to_hex(key: &[u8; 32]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut key = [0; 32];
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_conversion_to_hex() {
        let key: [u8; 32] = std::array::from_fn(|index| index as u8 * 8);
        assert_eq!(from_hex(&to_hex(&key)), Some(key));
        assert_eq!(from_hex(""), None);
        assert_eq!(from_hex(&"é".repeat(32)), None);
        assert_eq!(from_hex(&"g".repeat(64)), None);
    }
}
