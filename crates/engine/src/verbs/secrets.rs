//! Methods for named secrets and the secret store.

use secrecy::SecretString;
use usher_api::ErrorView;
use usher_config::{Origin, Placeholder, PlaceholderUse};
use usher_secrets::StoreKind;

use crate::engine::Engine;
use crate::server::message::Message;
use crate::words::secret_origin::{invalid_request, origins_not_stored};
use crate::words::secret_store::describe_secret_error;

impl Engine {
    /// Stores a secret that `mcp.json` refers to as `{{name}}`, and connects the servers that need it.
    pub async fn set_secret(&self, name: &str, secret: SecretString) -> Result<(), ErrorView> {
        self.put_secret(name, &secret).await?;
        self.secrets_changed(Some(name));
        Ok(())
    }

    /// Retries the servers that need this secret; `None` retries all that failed because of the store. Call it after a
    /// change to the store that the engine did not make.
    pub fn secrets_changed(&self, name: Option<&str>) {
        let placeholder = name.map(|name| Placeholder::Secret(name.to_owned()));
        self.run.servers.send_all(|| Message::SecretsChanged(placeholder.clone()));
    }

    /// Deletes a named secret, and forgets the origins for which it was allowed. Returns whether it existed.
    pub async fn delete_secret(&self, name: &str) -> Result<bool, ErrorView> {
        let stores = &self.run.context.stores;
        let outcome = stores.run(|store| async move { store.delete_named(name).await }).await;
        let existed = outcome.map_err(|error| describe_secret_error(&error))?;
        self.forget_secret_origins(&Placeholder::Secret(name.to_owned()).to_string()).await?;
        Ok(existed)
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

    /// Binds a named secret to the server for which its value was just stored, and connects the servers that need it.
    pub async fn secret_stored(&self, name: &str, address: &str) -> Result<(), ErrorView> {
        let origin = address.parse::<Origin>().map_err(|error| invalid_request(&error))?;
        self.bind_secret(name, &[origin]).await?;
        self.secrets_changed(Some(name));
        Ok(())
    }

    /// Forgets the origins for which a secret is allowed.
    pub async fn forget_secret_origins(&self, secret: &str) -> Result<(), ErrorView> {
        let placeholder = secret.parse::<Placeholder>().map_err(|error| invalid_request(&error))?;
        let outcome = self.run.context.placeholders.allowed.forget(&placeholder).await;
        if outcome.map_err(|error| origins_not_stored(&error))? {
            self.run.servers.send_all(|| Message::SecretsChanged(Some(placeholder.clone())));
        }
        Ok(())
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
