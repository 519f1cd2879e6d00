//! Sign-out: deletes the grant, then revokes it at the authorization server (RFC 7009).

use std::sync::Arc;
use std::time::Duration;

use tokio::time::error::Elapsed;
use usher_api::ServerId;
use usher_oauth::{AuthMethod, Grant, HttpClient, ServerUrl};
use usher_secrets::SecretStore;

use crate::connection::fault::Fault;
use crate::context::Context;
use crate::credentials::fault::CredentialFault;
use crate::endpoint::http::{HttpEndpoint, Resolved};

/// The deadline for the revocation. The grant is deleted in any case.
const REVOCATION_TIMEOUT: Duration = Duration::from_secs(5);

/// Deletes the server's grant, and revokes it in the background.
pub(crate) async fn sign_out(endpoint: &HttpEndpoint) -> Result<(), CredentialFault> {
    let context = &endpoint.context;
    // Without a network the grant cannot be revoked, but it is still deleted.
    let now = endpoint.resolve().await;
    // A secret that may not be sent any more, or that was deleted, is not sent for a revocation either.
    let has_values = !matches!(now, Err(Fault::SecretNotAllowed(_) | Fault::Setup(_)));
    let Some(resolved) = now.ok().or_else(|| endpoint.resolved()) else {
        let guard = context.guards.guard(&endpoint.id);
        let _guard = guard.lock().await;
        context.stores.run(|store| async move { store.delete_grant(&endpoint.id.0).await }).await?;
        tracing::info!(server = %endpoint.id, "the grant was not revoked, because its entry cannot be used");
        return Ok(());
    };
    let Some(credentials) = &resolved.credentials else { return Ok(()) };
    let Some(grant) = credentials.remove().await? else { return Ok(()) };
    if has_values || matches!(grant.binding.auth_method, AuthMethod::None) {
        revoke(endpoint, &resolved, Grant::clone(&grant)).await;
    } else {
        tracing::info!(server = %endpoint.id, "the grant was not revoked, because the secret of its client may not be sent");
    }
    Ok(())
}

/// Revokes in the background the grant of a server that is not in `mcp.json`.
pub(crate) fn revoke_orphan(context: &Arc<Context>, id: &ServerId, grant: Grant) {
    let running = context.revocations.token();
    let (id, context_of_task) = (id.clone(), Arc::clone(context));
    context.tasks.spawn(async move {
        let _running = running;
        let revoked = revoke_unconnected(&context_of_task, &grant);
        log(&id, tokio::time::timeout(REVOCATION_TIMEOUT, revoked).await);
    });
}

/// Revokes a grant without the entry of its server.
async fn revoke_unconnected(context: &Context, grant: &Grant) -> Result<(), usher_oauth::Error> {
    let binding = &grant.binding;
    let (issuer, client_id) = (binding.issuer.as_str(), binding.client_id.as_str());
    let secret = if binding.auth_method.needs_secret() {
        let read = |store: SecretStore| async move { store.client_secret(issuer, client_id).await };
        context.stores.run(read).await.unwrap_or_default()
    } else {
        None
    };
    let http = HttpClient::for_server(&ServerUrl::parse(&binding.resource)?).await?;
    usher_oauth::revoke(&http, grant, secret.as_ref()).await
}

fn log(id: &ServerId, outcome: Result<Result<(), usher_oauth::Error>, Elapsed>) {
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::info!(server = %id, %error, "the grant was not revoked"),
        Err(_) => tracing::info!(server = %id, "the revocation timed out"),
    }
}

/// Revokes a grant in the background.
pub(crate) async fn revoke(endpoint: &HttpEndpoint, resolved: &Arc<Resolved>, grant: Grant) {
    let running = endpoint.context.revocations.token();
    let secret = match &resolved.credentials {
        Some(credentials) => credentials.client_secret(&grant).await.unwrap_or_default(),
        None => None,
    };
    let (id, resolved) = (endpoint.id.clone(), Arc::clone(resolved));
    let now = endpoint.context.options.clock.now();
    endpoint.context.tasks.spawn(async move {
        let _running = running;
        let revoked = async {
            match grant.binding.auth_method {
                AuthMethod::PrivateKeyJwt => {
                    usher_oauth::revoke_with_key(&resolved.http, &grant, &resolved.settings, now).await
                }
                AuthMethod::None | AuthMethod::ClientSecretBasic | AuthMethod::ClientSecretPost => {
                    usher_oauth::revoke(&resolved.http, &grant, secret.as_ref()).await
                }
            }
        };
        log(&id, tokio::time::timeout(REVOCATION_TIMEOUT, revoked).await);
    });
}
