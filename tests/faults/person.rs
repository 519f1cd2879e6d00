//! A person without a screen, signed in to the fake service by the command line.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use usher_fake_service::{FakeService, FamilyId};
use usher_tests::{Bus, Cli, Desktop, KillSwitch, KillableProcess, Output, paths};

use crate::store::{NAME, Store, TIMEOUT};

/// A desktop that has only the secret store, and the token family that is stored there.
pub struct Person {
    pub service: Arc<FakeService>,
    pub family: FamilyId,
    store: Store,
    desktop: Desktop,
}

impl Person {
    /// Adds the service and signs in to it.
    pub async fn new(service: Arc<FakeService>, store: Store) -> Result<Person> {
        let desktop = Desktop::start_with(store.desktop()).await?;
        let mut person = Person { service, family: FamilyId(0), store, desktop };
        let added = person.usher(&["add", NAME, &person.service.url()]).await?;
        ensure!(added.code == Some(0), "usher add: {}", added.stderr);
        person.sign_in().await?;
        Ok(person)
    }

    /// Signs in, for the first time or again.
    pub async fn sign_in(&mut self) -> Result<()> {
        let mut cli = Cli::new(&self.desktop);
        if let Some((name, value)) = self.store.variable(&self.desktop) {
            cli = cli.env(name, value);
        }
        let mut login = cli.start(&["login", NAME, "--no-browser", "--again"])?;
        let line = login.line().await?;
        let line: Value =
            serde_json::from_str(&line).with_context(|| format!("usher login printed: {line}"))?;
        let address = line["authorization_url"].as_str().context("usher login printed no address")?;
        login.write_line(&self.service.approve(address)?)?;
        let output = login.finish(TIMEOUT).await?;
        ensure!(output.code == Some(0), "usher login exited with {:?}: {}", output.code, output.stderr);
        let (family, _) = self.stored_token().await?.context("no token is stored after a sign-in")?;
        self.family = family;
        self.service.ledger().take_activity(family);
        Ok(())
    }

    /// Runs the command line to its end.
    pub async fn usher(&self, arguments: &[&str]) -> Result<Output> {
        self.start(arguments)?.finish(TIMEOUT).await
    }

    /// Starts the command line as a process that can be killed.
    pub fn start(&self, arguments: &[&str]) -> Result<KillableProcess> {
        let mut command: Command = self.desktop.command(paths::usher()?);
        command.args(arguments).envs(self.store.variable(&self.desktop));
        // Nothing here uses TLS, and a short command spends most of its time reading the system's certificates.
        command.envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
        KillableProcess::start(command)
    }

    /// The family and the number of the stored refresh token; `None` if none is stored.
    pub async fn stored_token(&self) -> Result<Option<(FamilyId, u32)>> {
        let Some(token) = self.store.refresh_token(&self.desktop).await? else { return Ok(None) };
        let found = self.service.ledger().parse_refresh_token(&token);
        Ok(Some(found.context("the stored refresh token was not issued by this service")?))
    }

    /// Returns a violation, unless the newest token of a valid family is stored.
    pub async fn compare_stored_token(&self) -> Result<Option<String>> {
        let state = self.service.ledger().state(self.family);
        let stored = self.stored_token().await?.map(|(_, number)| number);
        let is_right = state.is_some_and(|state| stored == Some(state.current) && !state.is_revoked);
        Ok((!is_right).then(|| format!("the server is at {state:?}, the store at {stored:?}")))
    }

    /// Checks that the learned metadata can be read.
    pub fn check_state(&self) -> Result<()> {
        let file = self.state_folder().join("kept.json");
        let bytes = std::fs::read(&file).context("kept.json is missing")?;
        serde_json::from_slice::<Value>(&bytes).context("kept.json is damaged")?;
        ensure!(!file.with_extension("json.broken").exists(), "a damaged kept.json was moved aside");
        Ok(())
    }

    /// The entries of the store that do not belong to the sign-in.
    pub async fn leftovers(&self) -> Result<Vec<String>> {
        self.store.leftovers(&self.desktop).await
    }

    pub fn store(&self) -> Store {
        self.store
    }

    /// The folder in which changes of the store are visible.
    pub fn store_folder(&self) -> PathBuf {
        self.store.folder(&self.desktop)
    }

    /// The bus over which a command reaches the keychain.
    pub fn bus(&self) -> Result<&Bus> {
        self.desktop.bus()
    }

    pub fn keychain_kill_switch(&self) -> Result<KillSwitch> {
        KillSwitch::new(self.bus()?.owner_pid("org.freedesktop.secrets")?)
    }

    /// Starts a killed keychain again, unlocked.
    pub async fn start_keychain(&mut self) -> Result<()> {
        self.desktop.start_keyring().await
    }

    /// The lock file, which contains the process id of the holder.
    pub fn lock_file(&self) -> PathBuf {
        self.desktop.folder("run/usher/engine.lock")
    }

    fn state_folder(&self) -> PathBuf {
        self.desktop.folder("state/usher")
    }

    /// The folder in which the engine notes a refresh before it sends the token.
    pub fn journal_folder(&self) -> PathBuf {
        self.state_folder().join("renewals")
    }
}
