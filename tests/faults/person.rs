//! A person without a screen, signed in to the fake service with the command line.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use usher_fake_service::{FakeService, FamilyId};
use usher_tests::{Cli, Desktop, KillSwitch};

use crate::store::{NAME, Store};

/// A desktop that has only the secret store, and the token family that is stored there.
pub struct Person {
    pub service: Arc<FakeService>,
    pub family: FamilyId,
    pub store: Store,
    pub cli: Cli<Desktop>,
}

impl Person {
    /// Adds the service and signs in to it.
    pub async fn new(service: Arc<FakeService>, store: Store) -> Result<Person> {
        let cli = store.cli(Desktop::start_with(store.desktop()).await?);
        // Skips the system's certificates: nothing here uses TLS, and reading them takes most of the time of a command.
        let cli = cli.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
        cli.succeed(&["add", NAME, &service.url()]).await?;
        let mut person = Person { service, family: FamilyId(0), store, cli };
        person.sign_in().await?;
        Ok(person)
    }

    /// Signs in, for the first time or again.
    pub async fn sign_in(&mut self) -> Result<()> {
        let mut login = self.cli.start(&["login", NAME, "--no-browser", "--again"])?;
        let address = login.authorization_url().await?;
        login.write_line(&self.service.approve(&address)?).await?;
        let output = login.finish().await?;
        ensure!(output.code == Some(0), "usher login exited with {:?}: {}", output.code, output.stderr);
        let (family, _) = self.stored_token().await?.context("no token is stored after a sign-in")?;
        self.family = family;
        self.service.ledger().take_activity(family);
        Ok(())
    }

    /// The family and the number of the stored refresh token; `None` if none is stored.
    pub async fn stored_token(&self) -> Result<Option<(FamilyId, u32)>> {
        let Some(token) = self.store.refresh_token(self.desktop()).await? else { return Ok(None) };
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
        let file = self.desktop().folder("state/usher/kept.json");
        let bytes = std::fs::read(&file).context("kept.json is missing")?;
        serde_json::from_slice::<Value>(&bytes).context("kept.json is damaged")?;
        ensure!(!file.with_extension("json.broken").exists(), "a damaged kept.json was moved aside");
        Ok(())
    }

    /// The entries of the store that do not belong to the sign-in.
    pub async fn leftovers(&self) -> Result<Vec<String>> {
        self.store.leftovers(self.desktop()).await
    }

    pub fn desktop(&self) -> &Desktop {
        &self.cli.desktop
    }

    pub fn keychain_kill_switch(&self) -> Result<KillSwitch> {
        KillSwitch::new(self.desktop().bus()?.owner_pid("org.freedesktop.secrets")?)
    }

    /// The folder of the refresh journal.
    pub fn journal_folder(&self) -> PathBuf {
        self.desktop().folder("state/usher/renewals")
    }
}
