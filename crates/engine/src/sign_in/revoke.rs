//! Sign-out: deletes the grant, then revokes it at the authorization server (RFC 7009).

use std::sync::Arc;
use std::time::Duration;

use usher_oauth::Grant;

use crate::credentials::fault::CredentialFault;
use crate::endpoint::http::{HttpEndpoint, Resolved};

/// The deadline for the revocation. The grant is deleted in any case.
const REVOCATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Deletes the server's grant, and revokes it in the background.
pub(crate) async fn sign_out(endpoint: &HttpEndpoint) -> Result<(), CredentialFault> {
    let context = &endpoint.context;
    // Without a network the grant cannot be revoked, but it is still deleted.
    let Some(resolved) = endpoint.resolve().await.ok().or_else(|| endpoint.resolved()) else {
        let guard = context.guards.guard(&endpoint.id);
        let _guard = guard.lock().await;
        context.stores.run(|store| async move { store.delete_grant(&endpoint.id.0).await }).await?;
        return Ok(());
    };
    let Some(credentials) = &resolved.credentials else { return Ok(()) };
    let Some(grant) = credentials.remove().await? else { return Ok(()) };
    revoke(endpoint, &resolved, Grant::clone(&grant)).await;
    Ok(())
}

/// Revokes a grant in the background.
pub(crate) async fn revoke(endpoint: &HttpEndpoint, resolved: &Arc<Resolved>, grant: Grant) {
    let running = endpoint.context.revocations.token();
    let secret = match &resolved.credentials {
        Some(credentials) => credentials.client_secret(&grant).await.unwrap_or_default(),
        None => None,
    };
    let (id, resolved) = (endpoint.id.clone(), Arc::clone(resolved));
    endpoint.context.tasks.spawn(async move {
        let _running = running;
        let revoked = usher_oauth::revoke(&resolved.http, &grant, secret.as_ref());
        match tokio::time::timeout(REVOCATION_TIMEOUT, revoked).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::info!(server = %id, %error, "the grant was not revoked"),
            Err(_) => tracing::info!(server = %id, "the revocation timed out"),
        }
    });
}
