//! What the HTTP client goes by: deadlines, name resolution, proxy, trusted authorities.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::client::proxy::matcher::Matcher;
use reqwest::dns::Resolve;
use reqwest::redirect::Policy;
use url::Url;

use crate::resolver::GuardedResolver;
use crate::trust;

const USER_AGENT: &str = concat!("Usher/", env!("CARGO_PKG_VERSION"));

/// How long the steps may take altogether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    /// One request with its redirects and its body.
    pub request: Duration,
    /// All of [`discover`](crate::discover).
    pub discovery: Duration,
    /// One request to the token endpoint: longer, since a rotated token is lost with its answer.
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

/// What tests and unusual networks may replace.
#[derive(Clone, Default)]
pub struct HttpOptions {
    pub deadlines: Deadlines,
    /// Instead of the system's resolver. Its answers are checked all the same.
    pub resolver: Option<Arc<dyn Resolve>>,
    /// Instead of the system's proxy settings.
    pub proxy: Option<Url>,
    /// Like curl's `--connect-to`: a permitted address that is dialled elsewhere.
    pub connect_to: Vec<(IpAddr, SocketAddr)>,
    /// Certificate authorities to trust beside the system's.
    pub authorities: Vec<reqwest::Certificate>,
}

impl HttpOptions {
    /// Connects by itself, to the addresses that pass the rule.
    pub(crate) fn direct(&self, resolver: &Arc<GuardedResolver>) -> reqwest::ClientBuilder {
        self.builder().no_proxy().dns_resolver(Arc::clone(resolver))
    }

    /// Connects to the proxy alone, which may well be inside.
    pub(crate) fn proxied(&self) -> reqwest::ClientBuilder {
        match self.proxy.as_ref().and_then(|proxy| reqwest::Proxy::all(proxy.as_str()).ok()) {
            Some(proxy) => self.builder().proxy(proxy),
            None => self.builder(),
        }
    }

    /// Which addresses are reached by a proxy: the same rules by which the HTTP library goes.
    pub(crate) fn proxies(&self) -> Matcher {
        match &self.proxy {
            Some(proxy) => Matcher::builder().all(proxy.as_str()).build(),
            None => Matcher::from_system(),
        }
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        let builder = reqwest::Client::builder().user_agent(USER_AGENT).redirect(Policy::none());
        match trust::connector().filter(|_| self.authorities.is_empty()) {
            Some(connector) => builder.tls_backend_preconfigured(connector),
            None => {
                self.authorities.iter().cloned().fold(builder, reqwest::ClientBuilder::add_root_certificate)
            }
        }
    }
}
