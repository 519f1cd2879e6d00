//! The options of the HTTP client: deadlines, name resolution, proxy and certificate authorities.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::dns::Resolve;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use url::Url;

use crate::resolver::GuardedResolver;
use crate::tls_config::{shared_tls_config, tls_config};

const USER_AGENT: &str = concat!("Usher/", env!("CARGO_PKG_VERSION"));

/// The deadlines of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// One request, including redirects and the body.
    pub request: Duration,
    /// All of [`discover`](crate::discover).
    pub discovery: Duration,
    /// One request to the token endpoint. This deadline is the longest, because a response that is given up can contain a
    /// new refresh token.
    pub token: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines {
            request: Duration::from_secs(12),
            discovery: Duration::from_secs(25),
            token: Duration::from_secs(30),
        }
    }
}

/// Options for tests and unusual networks.
#[derive(Clone, Default)]
pub struct HttpOptions {
    pub deadlines: Deadlines,
    /// Replaces the system's resolver. Its addresses are checked too.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// Replaces the system's proxy settings.
    pub proxy: Option<Url>,
    /// Pairs of addresses. A connection to the first address, if it is permitted, goes to the second one.
    pub connect_to: Vec<(IpAddr, SocketAddr)>,
    /// Certificate authorities to trust in addition to the system's.
    pub authorities: Vec<CertificateDer<'static>>,
}

impl HttpOptions {
    /// Builds a client that connects directly, to addresses that `resolver` permits.
    pub(crate) fn direct(&self, resolver: &Arc<GuardedResolver>) -> reqwest::ClientBuilder {
        self.builder().no_proxy().dns_resolver(Arc::clone(resolver))
    }

    /// Builds a client that connects only to the proxy, which may be in a private network.
    pub(crate) fn proxied(&self) -> reqwest::ClientBuilder {
        match self.proxy.as_ref().and_then(|proxy| reqwest::Proxy::all(proxy.as_str()).ok()) {
            Some(proxy) => self.builder().proxy(proxy),
            None => self.builder(),
        }
    }

    /// The rules that the HTTP library uses to decide which URLs go through a proxy.
    pub(crate) fn proxies(&self) -> Matcher {
        match &self.proxy {
            Some(proxy) => Matcher::builder().all(proxy.as_str()).build(),
            None => Matcher::from_system(),
        }
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        let tls = match self.authorities.as_slice() {
            [] => shared_tls_config(),
            authorities => tls_config(authorities.to_vec()),
        };
        reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .tls_backend_preconfigured(tls)
    }
}
