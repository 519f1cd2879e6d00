//! A person without a screen who is signed in to the strict service by the command line.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use usher_tests::strict_service::{FamilyId, StrictService};
use usher_tests::{Blow, Bus, Cli, Desktop, Mortal, Output, paths};

use crate::keeping::Keeping;

/// More than a command takes on the busiest machine.
pub const TIMEOUT: Duration = Duration::from_secs(90);
/// The service's name in `mcp.json`.
pub const NAME: &str = "strict";

/// A desktop with what keeps the sign-in and nothing else, and the family of tokens that lies there.
pub struct Person {
    pub service: Arc<StrictService>,
    pub family: FamilyId,
    keeping: Keeping,
    desktop: Desktop,
}

impl Person {
    /// Adds the service and signs in to it.
    pub async fn new(service: Arc<StrictService>, keeping: Keeping) -> Result<Person> {
        let desktop = Desktop::start_with(keeping.desktop()).await?;
        let mut person = Person { service, family: FamilyId(0), keeping, desktop };
        let added = person.usher(&["add", NAME, &person.service.url()]).await?;
        ensure!(added.code == Some(0), "usher add: {}", added.stderr);
        person.sign_in().await?;
        Ok(person)
    }

    /// Signs in, for the first time or anew.
    pub async fn sign_in(&mut self) -> Result<()> {
        let mut cli = Cli::new(&self.desktop);
        if let Some((name, words)) = self.keeping.variable(&self.desktop) {
            cli = cli.env(name, words);
        }
        let mut login = cli.start(&["login", NAME, "--no-browser", "--again"])?;
        let line = login.line().await?;
        let line: Value = serde_json::from_str(&line).with_context(|| format!("usher login said: {line}"))?;
        let address = line["authorization_url"].as_str().context("usher login told no address")?;
        login.write_line(&self.service.consent(address).await?)?;
        let output = login.finish(TIMEOUT).await?;
        ensure!(output.code == Some(0), "usher login ended with {:?}: {}", output.code, output.stderr);
        let (family, _) = self.kept().await?.context("nothing is kept after a sign-in")?;
        self.family = family;
        self.service.ledger().turn_page(family);
        Ok(())
    }

    /// One call of the command line to its end.
    pub async fn usher(&self, words: &[&str]) -> Result<Output> {
        self.start(words)?.finish(TIMEOUT).await
    }

    /// One call of the command line that may be killed.
    pub fn start(&self, words: &[&str]) -> Result<Mortal> {
        let mut command: Command = self.desktop.command(paths::usher()?);
        command.args(words).envs(self.keeping.variable(&self.desktop));
        // Nothing here speaks TLS, and reading the system's certificates is most of what a short command does.
        command.envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
        Mortal::start(command)
    }

    /// The family and the number of the refresh token that is kept; `None` where nothing is.
    pub async fn kept(&self) -> Result<Option<(FamilyId, u32)>> {
        let Some(token) = self.keeping.refresh_token(&self.desktop).await? else { return Ok(None) };
        let found = self.service.ledger().read_refresh_token(&token);
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

    /// What lies in the store beside the sign-in.
    pub async fn leftovers(&self) -> Result<Vec<String>> {
        self.keeping.leftovers(&self.desktop).await
    }

    /// How the sign-in is kept.
    pub fn keeping(&self) -> Keeping {
        self.keeping
    }

    /// The folder in which a change of the store shows.
    pub fn store_folder(&self) -> PathBuf {
        self.keeping.folder(&self.desktop)
    }

    /// The bus on which a command asks the keychain.
    pub fn bus(&self) -> Result<&Bus> {
        self.desktop.bus()
    }

    /// Aimed at the keychain's own process.
    pub fn blow_at_keychain(&self) -> Result<Blow> {
        Blow::at(self.bus()?.owner_pid("org.freedesktop.secrets")?)
    }

    /// Brings a killed keychain back, unlocked.
    pub async fn start_keychain(&mut self) -> Result<()> {
        self.desktop.start_keyring().await
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
}
