//! The exchange of an authorization code for a grant, and the storage of a new grant.

use std::sync::Arc;

use futures::FutureExt;
use tokio_util::sync::CancellationToken;
use usher_oauth::{AuthorizationCode, Grant, GrantBinding};

use super::revoke::revoke;
use crate::connection::fault::Fault;
use crate::endpoint::http::{HttpEndpoint, Resolved};

/// Exchanges the code and stores the grant. Both run to the end, because a code can be used only once. If the sign-in
/// has ended in the meantime, the grant is revoked instead of stored.
pub(crate) async fn exchange(
    endpoint: &HttpEndpoint,
    code: AuthorizationCode,
    given_up: &CancellationToken,
) -> Result<(), Fault> {
    let context = &endpoint.context;
    let resolved = endpoint.resolve().await?;
    let now = context.options.clock.now();
    let planned = code.binding();
    let grant = usher_oauth::exchange(&resolved.http, code, now).boxed().await.map_err(Fault::Exchange)?;
    store(endpoint, &resolved, &planned, grant, given_up).await
}

/// Stores a new grant, and learns from the form of the request that it was issued for. If the sign-in has ended, the
/// grant is revoked instead.
pub(crate) async fn store(
    endpoint: &HttpEndpoint,
    resolved: &Arc<Resolved>,
    planned: &GrantBinding,
    grant: Grant,
    given_up: &CancellationToken,
) -> Result<(), Fault> {
    let context = &endpoint.context;
    context.learned.learn_quirks(planned, &grant.binding);
    if !grant.binding.sends_resource
        && let Some(mut discovered) = context.learned.discovered(&resolved.key)
    {
        discovered.sends_resource = false;
        context.learned.replace_discovered(&resolved.key, discovered);
    }
    let Some(credentials) = &resolved.credentials else {
        return Err(Fault::Protocol(
            "a sign-in was completed, but mcp.json sets an Authorization header".to_owned(),
        ));
    };
    let earlier = credentials.held();
    let binding = grant.binding.clone();
    match credentials.put(grant, || !given_up.is_cancelled()).await? {
        None => {
            // Some authorization servers keep one grant for each client and person, so a revocation would end the new
            // grant too.
            let is_other_client = |earlier: &Grant| {
                earlier.binding.issuer != binding.issuer || earlier.binding.client_id != binding.client_id
            };
            if let Some(earlier) = earlier.filter(|earlier| is_other_client(earlier)) {
                revoke(endpoint, resolved, Grant::clone(&earlier)).await;
            }
            tracing::info!(server = %endpoint.id, "signed in");
            Ok(())
        }
        Some(unwanted) => {
            revoke(endpoint, resolved, unwanted).await;
            Err(Fault::Cancelled)
        }
    }
}
