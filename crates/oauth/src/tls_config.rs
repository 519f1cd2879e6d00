//! The TLS configuration with the system's certificate authorities, cached and shared by all clients.
//!
//! Each server has two clients, so fifty servers would load the authorities a hundred times.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, SignatureScheme};
use rustls_platform_verifier::Verifier;

/// The lifetime is limited, so that newly installed authorities are trusted without a restart.
const CACHE_LIFETIME: Duration = Duration::from_secs(60);

static CACHE: Mutex<Option<(Instant, ClientConfig)>> = Mutex::new(None);

/// Returns the shared configuration, which trusts the system's authorities.
pub(crate) fn shared_tls_config() -> ClientConfig {
    let mut cache = CACHE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((created_at, config)) = &*cache
        && created_at.elapsed() < CACHE_LIFETIME
    {
        return config.clone();
    }
    let config = tls_config(Vec::new());
    *cache = Some((Instant::now(), config.clone()));
    config
}

/// Returns a configuration that trusts the system's authorities and `authorities`.
pub(crate) fn tls_config(authorities: Vec<CertificateDer<'static>>) -> ClientConfig {
    let provider = Arc::new(ring::default_provider());
    let verifier = LazyVerifier { provider: Arc::clone(&provider), authorities, loaded: OnceLock::new() };
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has cipher suites for TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config
}

/// The system's verifier, created at the first TLS handshake. A process that uses only http loads no authorities, and
/// needs none.
#[derive(Debug)]
struct LazyVerifier {
    provider: Arc<CryptoProvider>,
    /// Trusted in addition to the system's authorities.
    authorities: Vec<CertificateDer<'static>>,
    loaded: OnceLock<Result<Verifier, Error>>,
}

impl ServerCertVerifier for LazyVerifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let load = || Verifier::new_with_extra_roots(self.authorities.clone(), Arc::clone(&self.provider));
        let verifier = self.loaded.get_or_init(load).as_ref().map_err(Clone::clone)?;
        verifier.verify_server_cert(certificate, intermediates, server, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
