//! Where a person's sign-in is kept, looked at from outside.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use secrecy::ExposeSecret;
use serde_json::Value;
use usher_secrets::{SecretStore, StoreKind};
use usher_tests::folder_watch::FileEvent;
use usher_tests::{Desktop, DesktopOptions, Mortal, Output, paths};

use crate::person::{NAME, TIMEOUT};

/// How the items are called.
const SERVICE: &str = "dev.usher.desktop";
const GRANT: &str = "grant:strict";

/// The kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// A private file.
    File,
    /// The keychain, each sign-in one item.
    Keychain,
    /// The keychain, and tokens that now fit into one item and now do not.
    KeychainInParts,
}

impl Keeping {
    /// What the person's desktop needs for it.
    pub fn desktop(self) -> DesktopOptions {
        let is_keychain = self != Self::File;
        DesktopOptions { display: false, bus: is_keychain, keyring: is_keychain }
    }

    /// What a command is told of it.
    pub fn variable(self, desktop: &Desktop) -> Option<(&'static str, String)> {
        let words = format!("file:{}", desktop.folder("home/store/secrets").display());
        // The keychain is what a command takes by itself.
        (self == Self::File).then_some(("USHER_SECRET_STORE", words))
    }

    /// What a refresh takes from its request to the stored answer, and somewhat more.
    pub fn around_a_refresh(self) -> Duration {
        match self {
            Self::File => Duration::from_millis(15),
            Self::Keychain => Duration::from_millis(60),
            Self::KeychainInParts => Duration::from_millis(120),
        }
    }

    /// How many leftovers there may be before the next write: what kills leave does not gather.
    pub fn most_leftovers(self) -> usize {
        match self {
            Self::File => 1,
            Self::Keychain => 0,
            // The parts of an unfinished sign-in and of the one before: there are two places for them, and no third.
            Self::KeychainInParts => 6,
        }
    }

    /// The folder in which a change of the store shows, and nothing else.
    pub fn folder(self, desktop: &Desktop) -> PathBuf {
        match self {
            Self::File => desktop.folder("home/store"),
            Self::Keychain | Self::KeychainInParts => desktop.folder("data/keyrings"),
        }
    }

    /// Whether a new store appears beside the old one, empty as yet.
    pub fn is_begun(self, event: FileEvent, name: &str) -> bool {
        let begins = match self {
            Self::File => name == "secrets.new",
            Self::Keychain | Self::KeychainInParts => name.starts_with(".temp-"),
        };
        begins && event == FileEvent::Created
    }

    /// Whether a new store took the place of the old one.
    pub fn is_replaced(self, event: FileEvent, name: &str) -> bool {
        let is_store = match self {
            Self::File => name == "secrets",
            Self::Keychain | Self::KeychainInParts => name == "login.keyring",
        };
        is_store && event == FileEvent::MovedHere
    }

    /// The refresh token that is kept; `None` where none is.
    pub async fn refresh_token(self, desktop: &Desktop) -> Result<Option<String>> {
        match self {
            Self::File => {
                let store = SecretStore::open(StoreKind::File(self.folder(desktop).join("secrets")));
                let grant = store.grant(NAME).await.context("the secret store cannot be read")?;
                let Some(grant) = grant else { return Ok(None) };
                let token = grant.refresh_token.context("the kept sign-in has no refresh token")?;
                Ok(Some(token.expose_secret().to_owned()))
            }
            Self::Keychain | Self::KeychainInParts => {
                let mut read = desktop.command(paths::stored_refresh_token()?);
                read.arg(NAME);
                let output = Mortal::start(read)?.finish(TIMEOUT).await?;
                ensure!(output.code == Some(0), "the keychain cannot be read: {}", output.stderr.trim());
                let token = output.stdout.trim();
                Ok((!token.is_empty()).then(|| token.to_owned()))
            }
        }
    }

    /// What lies in the store beside that sign-in: left behind by a writer, or there twice.
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
            if let Some(place) = names.iter().position(|name| *name == expected) {
                names.swap_remove(place);
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

/// The names of all items of ours, as the system's own program finds them.
async fn item_names(desktop: &Desktop) -> Result<Vec<String>> {
    let found = secret_tool(desktop, &["search", "--all", "service", SERVICE]).await?;
    let names = found.stderr.lines().filter_map(|line| line.strip_prefix("attribute.username = "));
    Ok(names.map(str::to_owned).collect())
}

/// The names of the items that the sign-in consists of: its own, and those of the parts that this one lists.
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

async fn secret_tool(desktop: &Desktop, words: &[&str]) -> Result<Output> {
    let mut command = desktop.command("secret-tool");
    command.args(words);
    Mortal::start(command)?.finish(TIMEOUT).await
}
