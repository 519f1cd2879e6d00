//! The wait for a sign-in on another device: polls until the person has decided.

use std::sync::Arc;

use futures::FutureExt;
use secrecy::ExposeSecret;
use tokio_util::sync::CancellationToken;
use usher_oauth::DeviceAuthorization;

use super::exchange::store;
use crate::connection::fault::Fault;
use crate::endpoint::http::HttpEndpoint;

/// Polls until there is a grant, and stores it. A request is never interrupted, because the code can be used only once.
/// If the sign-in has ended in the meantime, the grant is revoked instead of stored. `stop` ends the wait between two
/// requests.
pub(crate) async fn wait(
    endpoint: Arc<HttpEndpoint>,
    mut device: DeviceAuthorization,
    given_up: CancellationToken,
    stop: CancellationToken,
) -> Result<(), Fault> {
    let resolved = endpoint.resolve().await?;
    let clock = &endpoint.context.options.clock;
    let planned = device.binding();
    let mut stored = device.to_secret();
    loop {
        let wait = device.next_poll(clock.now()).map_err(Fault::Exchange)?;
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return Err(Fault::Cancelled),
        }
        let outcome = device.poll(&resolved.http, clock.now()).boxed().await;
        if let Some(grant) = outcome.map_err(Fault::Exchange)? {
            return store(&endpoint, &resolved, &planned, grant, &given_up).await;
        }
        // The server's response can lengthen the interval, also for the polls after a restart.
        let now_stored = device.to_secret();
        if now_stored.expose_secret() != stored.expose_secret() {
            endpoint.persisted.update(&endpoint.context, &endpoint.id, &stored, &now_stored);
            stored = now_stored;
        }
    }
}
