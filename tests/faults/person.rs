//! A person without a screen who is signed in to the strict service by the command line.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use secrecy::ExposeSecret;
use serde_json::Value;
use usher_secrets::{SecretStore, StoreKind};
use usher_tests::strict_service::{FamilyId, StrictService};
use usher_tests::{Cli, Desktop, DesktopOptions, Mortal, Output, place};

/// More than a command takes on the busiest machine.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// The service's name in `mcp.json`.
pub const NAME: &str = "strict";

/// A desktop with nothing but folders, and the family of tokens that lies in one of them.
pub struct Person {
    pub service: Arc<StrictService>,
    pub family: FamilyId,
    desktop: Desktop,
}

impl Person {
    /// Adds the service and signs in to it.
    pub async fn new(service: Arc<StrictService>) -> Result<Person> {
        let desktop = Desktop::with(DesktopOptions { display: false, bus: false, keyring: false }).await?;
        let mut person = Person { service, family: FamilyId(0), desktop };
        let added = person.usher(&["add", NAME, &person.service.url()]).await?;
        ensure!(added.code == Some(0), "usher add: {}", added.stderr);
        person.sign_in().await?;
        Ok(person)
    }

    /// Signs in, for the first time or anew.
    pub async fn sign_in(&mut self) -> Result<()> {
        let cli = Cli::new(&self.desktop).with("USHER_SECRET_STORE", self.store_words());
        let mut login = cli.start(&["login", NAME, "--no-browser", "--again"])?;
        let line = login.line().await?;
        let line: Value = serde_json::from_str(&line).with_context(|| format!("usher login said: {line}"))?;
        let address = line["authorization_url"].as_str().context("usher login told no address")?;
        login.write_line(&self.service.consent(address).await?)?;
        let output = login.finish(PATIENCE).await?;
        ensure!(output.code == Some(0), "usher login ended with {:?}: {}", output.code, output.stderr);
        let (family, _) = self.kept().await?.context("nothing is kept after a sign-in")?;
        self.family = family;
        self.service.ledger().turn_page(family);
        Ok(())
    }

    /// One call of the command line to its end.
    pub async fn usher(&self, words: &[&str]) -> Result<Output> {
        self.start(words)?.finish(PATIENCE).await
    }

    /// One call of the command line that may be killed.
    pub fn start(&self, words: &[&str]) -> Result<Mortal> {
        let mut command: Command = self.desktop.command(place::usher()?);
        command.args(words).env("USHER_SECRET_STORE", self.store_words());
        // Nothing here speaks TLS, and reading the system's certificates is most of what a short command does.
        command.envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
        Mortal::start(command)
    }

    /// The family and the number of the refresh token that is kept; `None` where nothing is.
    pub async fn kept(&self) -> Result<Option<(FamilyId, u32)>> {
        let store = SecretStore::open(StoreKind::File(self.store_file()));
        let Some(grant) = store.grant(NAME).await.context("the secret store cannot be read")? else {
            return Ok(None);
        };
        let token = grant.refresh_token.context("the kept sign-in has no refresh token")?;
        let found = self.service.ledger().read_refresh_token(token.expose_secret());
        Ok(Some(found.context("the kept refresh token is none that the service gave")?))
    }

    /// Whether what was learned and is not secret can be read.
    pub fn check_state(&self) -> Result<()> {
        let file = self.state_folder().join("kept.json");
        let bytes = std::fs::read(&file).context("kept.json is gone")?;
        serde_json::from_slice::<Value>(&bytes).context("kept.json is broken")?;
        ensure!(!file.with_extension("json.broken").exists(), "a broken kept.json was moved aside");
        Ok(())
    }

    /// Names of the files beside the secret store that a writer left behind.
    pub fn store_leftovers(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(self.store_folder())? {
            let name = entry?.file_name().to_string_lossy().into_owned();
            if name != "secrets" && name != "secrets.lock" {
                names.push(name);
            }
        }
        Ok(names)
    }

    /// The folder of the secret store, and of nothing else.
    pub fn store_folder(&self) -> PathBuf {
        self.desktop.folder("home/store")
    }

    /// Says which process runs the engine.
    pub fn lock_file(&self) -> PathBuf {
        self.desktop.folder("run/usher/engine.lock")
    }

    /// Where the engine keeps what is not secret.
    fn state_folder(&self) -> PathBuf {
        self.desktop.folder("state/usher")
    }

    /// Where the engine notes that a refresh token is about to be sent.
    pub fn intents_folder(&self) -> PathBuf {
        self.state_folder().join("renewals")
    }

    fn store_file(&self) -> PathBuf {
        self.store_folder().join("secrets")
    }

    fn store_words(&self) -> String {
        format!("file:{}", self.store_file().display())
    }
}
