//! The TLS connector with the system's certificate authorities, cached and shared by all clients.
//!
//! Loading the authorities takes tens of milliseconds of CPU time. Each server has two clients, so loading them for
//! each client would take seconds with fifty servers.
//!
//! A client that sends only http requests loads them too: reqwest builds no client without a connector, and native-tls
//! loads the authorities of OpenSSL whenever it builds one, even with `disable_built_in_roots`. It loads OpenSSL's default
//! file and then the file that `openssl-probe` finds, which is often the same one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use native_tls::TlsConnector;

/// The lifetime is limited, so that newly installed authorities are trusted without a restart.
const CACHE_LIFETIME: Duration = Duration::from_secs(60);

static CACHE: Mutex<Option<(Instant, TlsConnector)>> = Mutex::new(None);

/// Returns the connector that the HTTP library would build. Returns `None` if the system's authorities cannot be
/// loaded; the library then reports the error.
pub(crate) fn tls_connector() -> Option<TlsConnector> {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((loaded_at, connector)) = &*cache
        && loaded_at.elapsed() < CACHE_LIFETIME
    {
        return Some(connector.clone());
    }
    let connector = TlsConnector::builder().request_alpns(&["h2", "http/1.1"]).build().ok()?;
    *cache = Some((Instant::now(), connector.clone()));
    Some(connector)
}
