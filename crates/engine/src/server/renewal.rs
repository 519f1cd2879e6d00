//! Keeps a server's sign-in fresh though nobody asks for its token.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use crate::credentials::CredentialFault;
use crate::server::site::Place;

/// After a failure, whatever the clock says.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);

/// Runs as long as the sign-in can be renewed, and says why when it cannot any more. It waits for the sign-in as it is
/// now: whoever changes it, or the clock, begins this anew.
pub(super) async fn keep_fresh(place: Arc<Place>) -> CredentialFault {
    let credentials = place.site_at_hand().and_then(|site| site.credentials.clone());
    let Some(credentials) = credentials else { return pending().await };
    let mut shortest = Duration::ZERO;
    loop {
        if let Some(ended) = credentials.ended() {
            return ended;
        }
        let Some(due) = credentials.due() else { return pending().await };
        let left = due.duration_since(place.shared.options.clock.now());
        tokio::time::sleep(Duration::try_from(left).unwrap_or_default().max(shortest)).await;
        shortest = match credentials.keep_up().await {
            Ok(()) => Duration::ZERO,
            Err(fault) if fault.needs_sign_in() => return fault,
            // Asking again would ask the person for the keychain's password again: who unlocks it begins this anew.
            Err(CredentialFault::SecretStore(error))
                if matches!(*error, usher_secrets::Error::Locked { .. }) =>
            {
                return pending().await;
            }
            Err(fault) => {
                tracing::info!(server = %place.id, %fault, "the sign-in could not be renewed ahead of its end");
                SHORTEST_WAIT
            }
        };
    }
}
