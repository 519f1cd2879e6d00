//! Waiting sign-ins that survive a restart: each server's pending request is stored in the secret store.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};
use usher_api::{ErrorView, ServerId};
use usher_oauth::PendingAuthorization;

use crate::context::Context;
use crate::secret_stores::SecretStores;

/// One server's pending request in the secret store. The value that was set last is always written last, so a cancelled
/// request is never restored.
#[derive(Default)]
pub(crate) struct PersistedSignIn {
    value: Mutex<Option<SecretString>>,
    writing: tokio::sync::Mutex<()>,
    is_used: AtomicBool,
}

impl PersistedSignIn {
    /// Stores this request in the background, or deletes the stored one.
    pub fn set(self: &Arc<Self>, context: &Arc<Context>, server: &ServerId, value: Option<SecretString>) {
        *self.value.lock().unwrap_or_else(PoisonError::into_inner) = value;
        self.start_write(context, server);
    }

    /// Stores a newer form of a request in the background, unless another one was set or the request was deleted.
    pub fn update(
        self: &Arc<Self>,
        context: &Arc<Context>,
        server: &ServerId,
        earlier: &SecretString,
        newer: &SecretString,
    ) {
        {
            let mut value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
            if value.as_ref().map(ExposeSecret::expose_secret) != Some(earlier.expose_secret()) {
                return;
            }
            *value = Some(newer.clone());
        }
        self.start_write(context, server);
    }

    fn start_write(self: &Arc<Self>, context: &Arc<Context>, server: &ServerId) {
        let (this, context_of_write, server) = (Arc::clone(self), Arc::clone(context), server.clone());
        context.tasks.spawn(async move { this.write(&context_of_write, &server).await });
    }

    /// Records that this run sent the person to the browser. The stored request is then never restored in this run.
    pub fn mark_used(&self) {
        self.is_used.store(true, Ordering::Relaxed);
    }

    pub fn is_used(&self) -> bool {
        self.is_used.load(Ordering::Relaxed)
    }

    async fn write(&self, context: &Context, server: &ServerId) {
        let _writing = self.writing.lock().await;
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let store = context.stores.get();
        let outcome = match value {
            Some(secret) => store.put_pending(&server.0, &secret).await,
            None => store.delete_pending(&server.0).await.map(|_| ()),
        };
        // Without the stored request, the person only has to sign in again after a restart.
        if let Err(error) = outcome {
            tracing::debug!(%server, %error, "the waiting sign-in was not stored");
        }
    }
}

/// The stored requests of the previous run, read when a callback needs them.
#[derive(Default)]
pub(crate) struct StoredSignIns(tokio::sync::Mutex<HashMap<ServerId, Option<SecretString>>>);

impl StoredSignIns {
    /// Finds the stored request with this `state`.
    ///
    /// Any web page can open a callback link, and each read of the store may ask for a password. Therefore, each
    /// server's request is read only once, and nothing is read while the store fails. Returns an error if the store
    /// cannot be read.
    pub async fn find(
        &self,
        state: &str,
        servers: Vec<ServerId>,
        stores: &SecretStores,
    ) -> Result<Option<(ServerId, PendingAuthorization)>, ErrorView> {
        let mut known = self.0.lock().await;
        let mut store_error = None;
        for server in servers {
            if known.contains_key(&server) {
                continue;
            }
            store_error = stores.error();
            if store_error.is_some() {
                break;
            }
            let name = server.0.clone();
            let secret = stores.run(|store| async move { store.pending(&name).await }).await;
            store_error = secret.as_ref().err().and_then(|_| stores.error());
            if store_error.is_some() {
                break;
            }
            // If the store works, an item that cannot be read counts as absent.
            known.insert(server, secret.unwrap_or_default());
        }
        let found = known.iter().find_map(|(server, secret)| {
            let pending = PendingAuthorization::from_secret(secret.as_ref()?)?;
            (pending.state() == state).then(|| (server.clone(), pending))
        });
        match (found, store_error) {
            (None, Some(error)) => Err(error),
            (found, _) => Ok(found),
        }
    }
}

#[cfg(test)]
mod tests {
    use usher_secrets::StoreKind;

    use super::*;
    use crate::secret_stores::tests::stores;

    #[tokio::test]
    async fn a_failing_store_is_not_read_for_each_callback() {
        let folder = tempfile::tempdir().expect("create a temporary folder");
        let file = folder.path().join("secrets");
        let stores = stores(StoreKind::File(file.clone()), true);
        let sign_ins = StoredSignIns::default();
        let link = async |servers: &[&str]| {
            let servers = servers.iter().map(|server| ServerId((*server).to_owned())).collect();
            let found = sign_ins.find("state", servers, &stores).await;
            assert!(found.is_err() == stores.error().is_some() && !matches!(found, Ok(Some(_))));
            let mut read: Vec<_> = sign_ins.0.lock().await.keys().map(|server| server.0.clone()).collect();
            read.sort();
            read
        };
        std::fs::create_dir(&file).expect("put a folder in place of the file");
        assert_eq!(link(&["demo"]).await, [""; 0]);
        assert!(stores.error().is_some());
        // A callback does not read a store that failed.
        std::fs::remove_dir(&file).expect("remove the folder");
        assert_eq!(link(&["demo"]).await, [""; 0]);
        assert!(stores.error().is_some());
        stores.run(|_| async { Ok(()) }).await.expect("report that the store works");
        assert_eq!(link(&["demo"]).await, ["demo"]);
        assert_eq!(link(&["demo", "other"]).await, ["demo", "other"]);
        // Requests that were read stay known when the store fails.
        std::fs::create_dir(&file).expect("put a folder in place of the file");
        assert_eq!(link(&["demo", "other"]).await, ["demo", "other"]);
        assert!(stores.error().is_none());
    }
}
