//! Signing out: the kept sign-in goes first, then the authorization server is told.

use std::time::Duration;

use crate::credentials::CredentialFault;
use crate::site::Place;

/// How long the authorization server is waited for. The sign-in is forgotten here whatever it answers.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn sign_out(place: &Place) -> Result<(), CredentialFault> {
    let store = place.shared.stores.get();
    let _ = store.delete_pending(&place.id.0).await;
    let Ok(site) = place.site().await else {
        // Without a network there is nobody to tell, and still something to forget.
        let outcome = store.delete_grant(&place.id.0).await;
        place.shared.stores.note(outcome.as_ref().err());
        outcome?;
        return Ok(());
    };
    let Some(credentials) = &site.credentials else { return Ok(()) };
    let Some(grant) = credentials.remove().await? else { return Ok(()) };
    let secret = credentials.client_secret(&grant).await.unwrap_or_default();
    let id = place.id.clone();
    place.shared.tasks.spawn(async move {
        let revoked = usher_oauth::revoke(&site.http, &grant, secret.as_ref());
        match tokio::time::timeout(PATIENCE, revoked).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(server = %id, %error, "the sign-in could not be revoked"),
            Err(_) => tracing::info!(server = %id, "the authorization server took too long to revoke"),
        }
    });
    Ok(())
}
