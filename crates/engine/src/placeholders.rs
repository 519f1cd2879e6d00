//! The values of placeholders: named secrets and environment variables.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use usher_api::SecretRequestView;
use usher_config::{Config, Environment, Placeholder, PlaceholderUse};

use crate::allowed_origins::{AllowedOrigins, FirstRun};
use crate::clock::Clock;
use crate::last_uses::LastUses;
use crate::program::approvals::Approved;
use crate::secret_stores::SecretStores;

/// The only owner of the values. It returns the values of an entry only if all their uses are allowed.
pub(crate) struct Placeholders {
    pub allowed: AllowedOrigins,
    pub last_uses: LastUses,
    environment: Environment,
    stores: SecretStores,
    /// Taken when the first valid `mcp.json` was read.
    first_run: Mutex<Option<FirstRun>>,
}

/// The values of an entry whose uses are allowed, or of an approved program. Only [`Placeholders`] creates one, and an
/// entry is resolved only with one.
pub(crate) struct AdmittedValues {
    /// The variables of this entry.
    environment: Environment,
    secrets: HashMap<String, SecretString>,
}

/// The reason why an entry gets no values.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
    /// The person has not allowed these uses.
    Refused(Vec<PlaceholderUse>),
    SecretStore(usher_secrets::Error),
    /// A first use could not be recorded.
    NotRecorded(io::Error),
}

impl Placeholders {
    /// Opens the files of the allowed origins and of the last uses.
    pub fn open(
        state_dir: &Path,
        clock: Clock,
        environment: Environment,
        stores: SecretStores,
    ) -> io::Result<Self> {
        let (allowed, first_run) = AllowedOrigins::open(state_dir)?;
        let last_uses = LastUses::open(state_dir, clock)?;
        Ok(Self { allowed, last_uses, environment, stores, first_run: Mutex::new(first_run) })
    }

    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    /// The variables for finding the uses of an entry.
    pub fn uses(&self, entry: &usher_config::ServerConfig) -> Vec<PlaceholderUse> {
        entry.placeholder_uses(&self.environment)
    }

    /// In the first run with this state folder, allows the uses in this file. The untouched examples of a new file do not
    /// count, because the person will change their addresses.
    pub async fn adopt(&self, config: &Config) {
        let Some(first_run) = self.first_run.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        let uses: Vec<_> = config
            .servers
            .iter()
            .filter(|entry| !entry.is_example())
            .flat_map(|entry| self.uses(entry))
            .collect();
        if let Err(error) = self.allowed.adopt(first_run, &uses).await {
            tracing::warn!(%error, "the origins of the secrets could not be stored");
        }
    }

    /// Returns the values of an entry with these uses. Records the first use of each secret before it returns.
    pub async fn admit(&self, uses: &[PlaceholderUse]) -> Result<AdmittedValues, NotAdmitted> {
        let refused = self.allowed.refused(uses);
        if !refused.is_empty() {
            return Err(NotAdmitted::Refused(refused));
        }
        let (mut secrets, mut existing) = (HashMap::new(), Vec::new());
        for one in uses {
            match &one.placeholder {
                Placeholder::Variable(_) => existing.push(one.clone()),
                Placeholder::Secret(name) => {
                    if !secrets.contains_key(name) {
                        let secret = self.stores.run(|store| async move { store.named(name).await }).await;
                        let Some(secret) = secret.map_err(NotAdmitted::SecretStore)? else { continue };
                        secrets.insert(name.clone(), secret);
                    }
                    existing.push(one.clone());
                }
            }
        }
        // A missing secret is bound when it exists.
        let refused = self.allowed.record(&existing).await.map_err(NotAdmitted::NotRecorded)?;
        if !refused.is_empty() {
            return Err(NotAdmitted::Refused(refused));
        }
        secrets.keys().for_each(|name| self.last_uses.record(name));
        let is_used = |name: &str| {
            let is_it = |one: &PlaceholderUse| matches!(&one.placeholder, Placeholder::Variable(variable) if variable == name);
            uses.iter().any(is_it)
        };
        Ok(AdmittedValues { environment: self.environment.filtered(is_used), secrets })
    }

    /// Returns the values for a program that the person has approved. The person saw their names before.
    pub async fn admit_program(
        &self,
        approved: &Approved<'_>,
    ) -> Result<AdmittedValues, usher_secrets::Error> {
        let (mut secrets, mut variables) = (HashMap::new(), Vec::new());
        for template in approved.launch().templates() {
            for placeholder in template.placeholders(&self.environment) {
                match placeholder {
                    Placeholder::Variable(name) => variables.push(name),
                    Placeholder::Secret(name) if !secrets.contains_key(&name) => {
                        let wanted = name.as_str();
                        let secret =
                            self.stores.run(|store| async move { store.named(wanted).await }).await?;
                        secrets.extend(secret.map(|secret| (name, secret)));
                    }
                    Placeholder::Secret(_) => {}
                }
            }
        }
        secrets.keys().for_each(|name| self.last_uses.record(name));
        let is_used = |name: &str| variables.iter().any(|variable| variable == name);
        Ok(AdmittedValues { environment: self.environment.filtered(is_used), secrets })
    }

    /// Describes uses for the front ends.
    pub fn requests(&self, refused: &[PlaceholderUse]) -> Vec<SecretRequestView> {
        let view = |one: &PlaceholderUse| SecretRequestView {
            secret: one.placeholder.to_string(),
            origin: one.origin.to_string(),
            allowed_origins: self.allowed.of(&one.placeholder),
        };
        refused.iter().map(view).collect()
    }
}

impl AdmittedValues {
    pub fn environment(&self) -> &Environment {
        &self.environment
    }

    pub fn secret(&self, name: &str) -> Option<SecretString> {
        self.secrets.get(name).cloned()
    }
}
