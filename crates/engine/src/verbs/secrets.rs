//! Methods for named secrets and the secret store.

use secrecy::{ExposeSecret, SecretString};
use usher_api::ErrorView;
use usher_config::{Origin, Placeholder, PlaceholderUse};
use usher_secrets::StoreKind;

use crate::engine::Engine;
use crate::run::load;
use crate::server::message::Message;
use crate::words::named_secret::{invalid_name, name_in_use, no_value, value_too_long};
use crate::words::secret_origin::{invalid_request, origins_not_stored};
use crate::words::secret_store::describe_secret_error;

/// The longest value of a named secret that a person enters, in bytes.
pub const MAX_SECRET_BYTES: usize = 64 * 1024;

impl Engine {
    /// Stores a secret that `mcp.json` refers to as `{{name}}`, and connects the servers that need it. Line breaks at the
    /// end of the value are left out. The origins for which an earlier value was allowed stay allowed.
    pub async fn set_secret(&self, name: &str, secret: SecretString) -> Result<(), ErrorView> {
        let (name, secret) = (checked_name(name)?, checked_value(&secret)?);
        self.put_secret(name, &secret).await?;
        self.secret_stored(name, None).await
    }

    /// Like [`Self::set_secret`], but fails if there is a secret with this name.
    pub async fn add_secret(&self, name: &str, secret: SecretString) -> Result<(), ErrorView> {
        let name = checked_name(name)?;
        if self.secrets().await?.iter().any(|known| known == name) {
            return Err(name_in_use(name));
        }
        let secret = checked_value(&secret)?;
        // A secret that was deleted outside of Usher can have left its permissions.
        self.forget_origins(&Placeholder::Secret(name.to_owned())).await?;
        self.set_secret(name, secret).await
    }

    /// Retries the servers that need this secret; `None` retries all that failed because of the store. Call it after a
    /// change to the store that the engine did not make.
    pub fn secrets_changed(&self, name: Option<&str>) {
        let placeholder = name.map(|name| Placeholder::Secret(name.to_owned()));
        self.run.servers.send_all(|| Message::SecretsChanged(placeholder.clone()));
    }

    /// Deletes a named secret, and forgets the origins for which it was allowed and its last use. The servers that use it
    /// fail. Returns whether it existed.
    pub async fn delete_secret(&self, name: &str) -> Result<bool, ErrorView> {
        let stores = &self.run.context.stores;
        let outcome = stores.run(|store| async move { store.delete_named(name).await }).await;
        let existed = outcome.map_err(|error| describe_secret_error(&error))?;
        let placeholder = Placeholder::Secret(name.to_owned());
        let forgotten = self.forget_origins(&placeholder).await;
        // Even if the origins are still stored, nothing may go on with the deleted value.
        self.run.servers.send_all(|| Message::SecretDeleted(placeholder.clone()));
        forgotten.map(|_| existed)
    }

    /// Allows a secret for an origin, and connects the servers that wait for it. `secret` is a placeholder of
    /// `mcp.json`, such as `{{name}}` or `${VAR}`, or the name of a secret. Call it only after the person agreed.
    pub async fn allow_secret(&self, secret: &str, origin: &str) -> Result<(), ErrorView> {
        let placeholder = secret.parse::<Placeholder>().map_err(|error| invalid_request(&error))?;
        let origin = origin.parse::<Origin>().map_err(|error| invalid_request(&error))?;
        let allowed = &self.run.context.placeholders.allowed;
        let outcome = allowed.allow(&PlaceholderUse { placeholder, origin }).await;
        outcome.map_err(|error| origins_not_stored(&error))?;
        self.run.servers.send_all(|| Message::SecretAllowed);
        Ok(())
    }

    /// Withdraws the permission to send a secret to an origin. The servers there get a new connection, and fail until the
    /// person allows the secret again. The arguments are those of [`Self::allow_secret`].
    pub async fn disallow_secret(&self, secret: &str, origin: &str) -> Result<(), ErrorView> {
        let placeholder = secret.parse::<Placeholder>().map_err(|error| invalid_request(&error))?;
        let origin = origin.parse::<Origin>().map_err(|error| invalid_request(&error))?;
        let allowed = &self.run.context.placeholders.allowed;
        let withdrawn = PlaceholderUse { placeholder, origin };
        let outcome = allowed.disallow(&withdrawn).await;
        if outcome.map_err(|error| origins_not_stored(&error))? {
            self.run.servers.send_all(|| Message::SecretDisallowed(withdrawn.clone()));
        }
        Ok(())
    }

    /// Binds a named secret whose value was just stored, and connects the servers that need it. With an address, the value
    /// was stored for the server there only.
    pub async fn secret_stored(&self, name: &str, address: Option<&str>) -> Result<(), ErrorView> {
        match address {
            Some(address) => {
                let origin = address.parse::<Origin>().map_err(|error| invalid_request(&error))?;
                self.bind_secret(name, &[origin]).await?;
            }
            None => self.bind_to_only_origin(name).await?,
        }
        self.secrets_changed(Some(name));
        Ok(())
    }

    /// Binds a secret that no origin may get yet, if `mcp.json` sends it to exactly one origin. A later change of the file,
    /// even while the entry is disabled, then needs the person's permission. Otherwise the first use binds the secret.
    async fn bind_to_only_origin(&self, name: &str) -> Result<(), ErrorView> {
        // The secret is stored even if the file is invalid.
        let Ok(config) = load(&self.run.config).await else { return Ok(()) };
        let (placeholders, secret) = (&self.run.context.placeholders, Placeholder::Secret(name.to_owned()));
        let servers = config.servers.iter().filter(|server| !server.is_example());
        let uses = servers.flat_map(|server| placeholders.uses(server));
        let uses: Vec<_> = uses.filter(|one| one.placeholder == secret).collect();
        if uses.iter().all(|one| one.origin == uses[0].origin) {
            // Nothing changes if the secret is allowed for another origin.
            placeholders.allowed.record(&uses).await.map_err(|error| origins_not_stored(&error))?;
        }
        Ok(())
    }

    /// Forgets the origins for which a secret is allowed, and its last use.
    pub async fn forget_secret_origins(&self, secret: &str) -> Result<(), ErrorView> {
        let placeholder = secret.parse::<Placeholder>().map_err(|error| invalid_request(&error))?;
        if self.forget_origins(&placeholder).await? {
            self.run.servers.send_all(|| Message::SecretsChanged(Some(placeholder.clone())));
        }
        Ok(())
    }

    /// Returns whether the secret was allowed for any origin.
    async fn forget_origins(&self, placeholder: &Placeholder) -> Result<bool, ErrorView> {
        let placeholders = &self.run.context.placeholders;
        if let Placeholder::Secret(name) = placeholder {
            // The permissions matter more.
            if let Err(error) = placeholders.last_uses.forget(name).await {
                tracing::warn!(%error, "the last use of a secret could not be forgotten");
            }
        }
        placeholders.allowed.forget(placeholder).await.map_err(|error| origins_not_stored(&error))
    }

    /// Allows a named secret for these origins only.
    pub(super) async fn bind_secret(&self, name: &str, origins: &[Origin]) -> Result<(), ErrorView> {
        let placeholder = Placeholder::Secret(name.to_owned());
        let outcome = self.run.context.placeholders.allowed.replace(&placeholder, origins).await;
        outcome.map_err(|error| origins_not_stored(&error))
    }

    /// Returns the names of the named secrets.
    pub async fn secrets(&self) -> Result<Vec<String>, ErrorView> {
        let outcome = self.run.context.stores.run(|store| async move { store.named_list().await }).await;
        outcome.map_err(|error| describe_secret_error(&error))
    }

    /// Tries the secret store again at the person's request, and connects the servers that failed because of it. The
    /// system may ask for the password of a locked keychain; this method waits for the person's answer.
    pub async fn retry_secret_store(&self) -> Result<(), ErrorView> {
        let outcome = self.run.context.stores.run(|store| async move { store.unlock().await }).await;
        self.store_checked(outcome)
    }

    /// Tries the secret store again without a prompt. Call it when something about the store may have changed.
    pub async fn recheck_secret_store(&self) -> Result<(), ErrorView> {
        let outcome = self.run.context.stores.run(|store| async move { store.check().await }).await;
        self.store_checked(outcome)
    }

    /// Switches to another secret store. The contents of the old store are not moved.
    pub async fn choose_secret_store(&self, kind: StoreKind) -> Result<(), ErrorView> {
        self.run.context.stores.choose(kind);
        self.retry_secret_store().await
    }

    pub(super) async fn put_secret(&self, name: &str, secret: &SecretString) -> Result<(), ErrorView> {
        let stores = &self.run.context.stores;
        let outcome = stores.run(|store| async move { store.put_named(name, secret).await }).await;
        outcome.map_err(|error| describe_secret_error(&error))
    }

    fn store_checked(&self, outcome: Result<(), usher_secrets::Error>) -> Result<(), ErrorView> {
        outcome.map_err(|error| describe_secret_error(&error))?;
        self.secrets_changed(None);
        Ok(())
    }
}

/// Returns the name if a placeholder can have it.
fn checked_name(name: &str) -> Result<&str, ErrorView> {
    match name.parse::<Placeholder>() {
        Ok(Placeholder::Secret(parsed)) if parsed == name => Ok(name),
        Ok(Placeholder::Secret(_) | Placeholder::Variable(_)) | Err(_) => Err(invalid_name()),
    }
}

/// Returns the value without line breaks at its end, which copying a line adds.
fn checked_value(secret: &SecretString) -> Result<SecretString, ErrorView> {
    let value = secret.expose_secret().trim_end_matches(['\r', '\n']);
    if value.is_empty() {
        return Err(no_value());
    }
    if value.len() > MAX_SECRET_BYTES {
        return Err(value_too_long(MAX_SECRET_BYTES));
    }
    Ok(SecretString::from(value))
}
