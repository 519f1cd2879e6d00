//! The secret store of a person, seen from outside the engine.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use usher_secrets::StoreKind;
use usher_tests::folder_watch::FileEvent;
use usher_tests::{Cli, Desktop, DesktopOptions, Output, PipedProcess, engine, paths};

/// The server's name in `mcp.json`.
pub const NAME: &str = "strict";

/// The service and the user name of the keychain item.
const SERVICE: &str = "dev.usher.desktop";
const GRANT: &str = "grant:strict";

/// The kind of secret store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// A private file.
    File,
    /// The keychain, with each grant in one item.
    Keychain,
    /// The keychain, with grants that sometimes fit into one item and sometimes do not.
    KeychainInParts,
}

impl Store {
    /// The parts of a desktop that this store needs.
    pub fn desktop(self) -> DesktopOptions {
        let is_keychain = self != Self::File;
        DesktopOptions { display: false, bus: is_keychain, keyring: is_keychain }
    }

    /// The command line with this store.
    pub fn cli(self, desktop: Desktop) -> Cli<Desktop> {
        match self {
            Self::File => Cli::with_secret_file(desktop),
            Self::Keychain | Self::KeychainInParts => Cli::new(desktop),
        }
    }

    /// The time from a refresh request to the stored response, with some margin.
    pub fn refresh_time(self) -> Duration {
        match self {
            Self::File => Duration::from_millis(15),
            Self::Keychain => Duration::from_millis(60),
            Self::KeychainInParts => Duration::from_millis(120),
        }
    }

    /// The most leftovers allowed before the next write. Leftovers of kills must not accumulate.
    pub fn max_leftovers(self) -> usize {
        match self {
            Self::File => 1,
            Self::Keychain => 0,
            // The parts of an unfinished write and of the write before it. There are only two slots.
            Self::KeychainInParts => 6,
        }
    }

    /// The folder of this store. Nothing else is written there.
    pub fn folder(self, desktop: &Desktop) -> PathBuf {
        match self {
            Self::File => desktop.folder("home/store"),
            Self::Keychain | Self::KeychainInParts => desktop.folder("data/keyrings"),
        }
    }

    /// Whether a new store appears beside the old one, still empty.
    pub fn is_created(self, event: FileEvent, name: &str) -> bool {
        let is_new = match self {
            Self::File => name == "secrets.new",
            Self::Keychain | Self::KeychainInParts => name.starts_with(".temp-"),
        };
        is_new && event == FileEvent::Created
    }

    /// Whether a new store replaced the old one.
    pub fn is_replaced(self, event: FileEvent, name: &str) -> bool {
        let is_store = match self {
            Self::File => name == "secrets",
            Self::Keychain | Self::KeychainInParts => name == "login.keyring",
        };
        is_store && event == FileEvent::MovedHere
    }

    /// The stored refresh token; `None` if none is stored.
    pub async fn refresh_token(self, desktop: &Desktop) -> Result<Option<String>> {
        match self {
            Self::File => engine::refresh_token(StoreKind::File(desktop.secret_file()), NAME).await,
            Self::Keychain | Self::KeychainInParts => {
                let mut read = desktop.command(paths::stored_refresh_token()?);
                read.arg(NAME);
                let output = PipedProcess::start(read)?.finish().await?;
                ensure!(output.code == Some(0), "the keychain cannot be read: {}", output.stderr.trim());
                let token = output.stdout.trim();
                Ok((!token.is_empty()).then(|| token.to_owned()))
            }
        }
    }

    /// The entries that do not belong to the grant: left behind by a write, or stored twice.
    pub async fn leftovers(self, desktop: &Desktop) -> Result<Vec<String>> {
        let (mut names, expected) = match self {
            Self::File => {
                (file_names(self.folder(desktop))?, vec!["secrets".to_owned(), "secrets.lock".to_owned()])
            }
            Self::Keychain | Self::KeychainInParts => {
                (item_names(desktop).await?, items_of_grant(desktop).await?)
            }
        };
        for expected in expected {
            if let Some(index) = names.iter().position(|name| *name == expected) {
                names.swap_remove(index);
            }
        }
        Ok(names)
    }
}

fn file_names(folder: PathBuf) -> Result<Vec<String>> {
    let entries =
        std::fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    entries.collect()
}

/// The names of all our items, as `secret-tool` finds them.
async fn item_names(desktop: &Desktop) -> Result<Vec<String>> {
    let found = secret_tool(desktop, &["search", "--all", "service", SERVICE]).await?;
    let names = found.stderr.lines().filter_map(|line| line.strip_prefix("attribute.username = "));
    Ok(names.map(str::to_owned).collect())
}

/// The names of the items of the grant: its own, and those of the parts that it lists.
async fn items_of_grant(desktop: &Desktop) -> Result<Vec<String>> {
    let mut names = vec![GRANT.to_owned()];
    let found = secret_tool(desktop, &["lookup", "service", SERVICE, "username", GRANT]).await?;
    if let Some(list) = found.stdout.strip_prefix("usher-parts:") {
        let list: Value = serde_json::from_str(list).context("the list of parts is damaged")?;
        let slot = list["slot"].as_str().context("the list of parts names no slot")?;
        let count = list["parts"].as_u64().context("the list of parts has no count")?;
        names.extend((0..count).map(|index| format!("part:{slot}{index}:{GRANT}")));
    }
    Ok(names)
}

async fn secret_tool(desktop: &Desktop, arguments: &[&str]) -> Result<Output> {
    let mut command = desktop.command("secret-tool");
    command.args(arguments);
    PipedProcess::start(command)?.finish().await
}
