//! The one authorization request of a server that waits, kept in the secret store across a restart.

use std::sync::{Arc, Mutex, PoisonError};

use secrecy::SecretString;
use usher_oauth::PendingAuthorization;

use crate::ServerId;
use crate::shared::Shared;

/// Writes what was wanted last, whatever order the writes run in: a request that was given up never comes back.
#[derive(Default)]
pub(crate) struct WaitingRequest {
    wanted: Mutex<Option<SecretString>>,
    writing: tokio::sync::Mutex<()>,
}

impl WaitingRequest {
    /// Keeps a request, or forgets it.
    pub fn set(
        self: &Arc<Self>,
        shared: &Arc<Shared>,
        server: &ServerId,
        pending: Option<&PendingAuthorization>,
    ) {
        *self.wanted.lock().unwrap_or_else(PoisonError::into_inner) =
            pending.map(PendingAuthorization::to_secret);
        let (this, owned, server) = (Arc::clone(self), Arc::clone(shared), server.clone());
        shared.tasks.spawn(async move { this.write(&owned, &server).await });
    }

    async fn write(&self, shared: &Shared, server: &ServerId) {
        let _writing = self.writing.lock().await;
        let wanted = self.wanted.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let store = shared.stores.get();
        let outcome = match wanted {
            Some(secret) => store.put_pending(&server.0, &secret).await,
            None => store.delete_pending(&server.0).await.map(|_| ()),
        };
        // Without it a restart in the middle of a sign-in means to begin it again, no more.
        if let Err(error) = outcome {
            tracing::debug!(%server, %error, "the waiting sign-in is not kept");
        }
    }
}
