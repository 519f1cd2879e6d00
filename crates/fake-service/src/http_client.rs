//! The HTTP client of tests, which use it as a browser or as a bare client.

use std::sync::Arc;

use reqwest::redirect::Policy;
use rustls::{ClientConfig, RootCertStore, crypto::ring};

/// Returns a builder for a client that connects directly and follows no redirects. It trusts no TLS certificate: tests
/// use http on loopback.
pub fn http_client() -> reqwest::ClientBuilder {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites for TLS 1.2 and 1.3")
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).tls_backend_preconfigured(tls)
}
