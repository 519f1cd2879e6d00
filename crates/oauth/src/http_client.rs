//! The HTTP client of all steps: checked addresses, checked redirects, capped bodies, deadlines.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::Resolve;

use crate::{Error, Reach, ServerUrl};

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
    /// Like curl's `--connect-to`: a permitted address that is dialled elsewhere.
    pub connect_to: Vec<(IpAddr, SocketAddr)>,
    /// Certificate authorities to trust beside the system's.
    pub authorities: Vec<reqwest::Certificate>,
}

/// An HTTP client for the sign-in to one server. Cloning is cheap.
///
/// Where it may connect is decided once from where the server is, and holds for every address that is resolved
/// later: a public server's documents, redirects and changed DNS records lead into no private network.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    reach: Reach,
}

impl HttpClient {
    /// Looks up where the server is and sets the reach of everything that follows.
    pub async fn for_server(server: &ServerUrl) -> Result<HttpClient, Error> {
        HttpClient::with_options(server, HttpOptions::default()).await
    }

    /// As [`HttpClient::for_server`], with some parts replaced.
    pub async fn with_options(_server: &ServerUrl, _options: HttpOptions) -> Result<HttpClient, Error> {
        unimplemented!()
    }

    pub fn reach(&self) -> Reach {
        self.inner.reach
    }

    /// A builder for another client under the same address rule, following no redirects: for the connection to the
    /// server itself. Addresses given as numbers pass by the rule, which speaks at name resolution.
    pub fn connection_builder(&self) -> reqwest::ClientBuilder {
        unimplemented!()
    }
}
