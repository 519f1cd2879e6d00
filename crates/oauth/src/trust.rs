//! The certificate authorities that the system trusts, read once for all clients of a start.
//!
//! Reading them takes some tens of milliseconds of one processor. Each server has two clients, so fifty servers would
//! spend seconds on it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use native_tls::TlsConnector;

/// An authority that the person installs meanwhile is trusted by every connection made after this.
const GOOD_FOR: Duration = Duration::from_secs(60);

static READ: Mutex<Option<(Instant, TlsConnector)>> = Mutex::new(None);

/// What the HTTP library would make for itself; `None` where the system's authorities cannot be read, which the
/// library then says in its own words.
pub(crate) fn connector() -> Option<TlsConnector> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, connector)) = &*read
        && at.elapsed() < GOOD_FOR
    {
        return Some(connector.clone());
    }
    let connector = TlsConnector::builder().request_alpns(&["h2", "http/1.1"]).build().ok()?;
    *read = Some((Instant::now(), connector.clone()));
    Some(connector)
}
