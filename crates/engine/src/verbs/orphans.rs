//! Methods for grants whose servers were removed from `mcp.json` by hand.

use std::collections::HashSet;

use url::Url;
use usher_api::{ErrorView, OrphanView, ServerId};
use usher_config::display_text;

use crate::credentials::stored_grant::from_stored;
use crate::engine::Engine;
use crate::run::load;
use crate::sign_in::revoke::revoke_orphan;
use crate::words;
use crate::words::config::describe_config_error;
use crate::words::secret_store::describe_secret_error;

impl Engine {
    /// Returns the stored grants whose servers are not in `mcp.json`. Fails if the file is invalid, because it is then
    /// unknown which servers it contains.
    pub async fn orphans(&self) -> Result<Vec<OrphanView>, ErrorView> {
        let config = load(&self.run.config).await.map_err(|error| describe_config_error(&error))?;
        // An entry with an error keeps its grant.
        let names: HashSet<_> = config.entries().map(|entry| entry.name().to_owned()).collect();
        let stores = &self.run.context.stores;
        let granted = stores.run(|store| async move { store.granted_servers().await }).await;
        let granted = granted.map_err(|error| describe_secret_error(&error))?;
        let mut orphans = Vec::new();
        for server in granted.into_iter().filter(|server| !names.contains(server)) {
            // A grant that cannot be read can still be removed.
            let name = server.as_str();
            let grant = stores.run(|store| async move { store.grant(name).await }).await.ok().flatten();
            let resource = grant.and_then(|grant| Url::parse(&grant.resource).ok());
            let host = resource.and_then(|resource| resource.host_str().map(str::to_owned));
            orphans.push(OrphanView { name: display_text(&server, 80), host, server: ServerId(server) });
        }
        Ok(orphans)
    }

    /// Deletes the grant of a server that is not in `mcp.json`, and revokes it in the background.
    pub async fn remove_orphan(&self, id: &ServerId) -> Result<(), ErrorView> {
        if !self.orphans().await?.iter().any(|orphan| orphan.server == *id) {
            return Err(words::server::no_orphan(&id.0));
        }
        self.delete_stored_grant(id).await
    }

    /// Deletes the stored grant of a server without a task, and revokes it in the background.
    pub(super) async fn delete_stored_grant(&self, id: &ServerId) -> Result<(), ErrorView> {
        let context = &self.run.context;
        let guard = context.guards.guard(id);
        let _guard = guard.lock().await;
        let name = id.0.as_str();
        let grant = context.stores.run(|store| async move { store.grant(name).await }).await.ok().flatten();
        let deleted = context
            .stores
            .run(|store| async move {
                store.delete_pending(name).await?;
                store.delete_grant(name).await
            })
            .await;
        deleted.map_err(|error| describe_secret_error(&error))?;
        context.journal.clear(id).await;
        if let Some(grant) = grant.and_then(from_stored) {
            revoke_orphan(context, id, grant);
        }
        Ok(())
    }
}
