//! The HTTP client of all steps: checked addresses, checked redirects, capped bodies, deadlines.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use hyper_util::client::proxy::matcher::Matcher;
use reqwest::dns::{Name, Resolve};
use url::{Host, Url};

use crate::endpoint::{check_url, is_loopback};
use crate::resolver::{GuardedResolver, SystemResolver, lookup};
use crate::transport_error::{kind_of, kind_of_lookup};
use crate::{Deadlines, Error, ErrorKind, HttpOptions, Reach, ServerUrl, Step};

const LARGEST_BODY: usize = 1024 * 1024;
const MOST_HOPS: usize = 5;

/// An HTTP client for the sign-in to one server. Cloning is cheap.
///
/// Where it may connect is decided once from where the server is, and holds for every address that is resolved later:
/// a public server's documents, redirects and changed DNS records lead into no private network. Behind a proxy the
/// proxy resolves names, so there the rule is applied to what this computer resolves, as far as it can.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    direct: reqwest::Client,
    /// Absent where the system has no proxy.
    proxied: Option<reqwest::Client>,
    proxies: Matcher,
    reaches_server_by_proxy: bool,
    resolver: Arc<GuardedResolver>,
    options: HttpOptions,
}

/// One request, before its redirects.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// A whole response. It can hold tokens, so it has no `Debug`.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl HttpClient {
    /// Looks up where the server is and sets the reach of everything that follows.
    pub async fn for_server(server: &ServerUrl) -> Result<HttpClient, Error> {
        HttpClient::with_options(server, HttpOptions::default()).await
    }

    /// As [`HttpClient::for_server`], with some parts replaced.
    pub async fn with_options(server: &ServerUrl, options: HttpOptions) -> Result<HttpClient, Error> {
        let failed = |kind| Error::new(Step::Probe, Some(server.host()), kind);
        let proxies = options.proxies();
        let names = options.resolver.clone().unwrap_or_else(|| Arc::new(SystemResolver));
        let looked_up =
            tokio::time::timeout(options.deadlines.request, addresses_of(server.url(), &names)).await;
        let reach = match looked_up {
            Ok(Ok(addresses)) => Reach::of_server(&addresses)
                .ok_or_else(|| failed(ErrorKind::BlockedAddress { address: server.host().to_owned() }))?,
            // Behind a proxy the outside world may have no names here; such a server is on the internet.
            _ if is_proxied(&proxies, server.url()) => Reach::Public,
            Ok(Err(kind)) => return Err(failed(kind)),
            Err(_elapsed) => return Err(failed(ErrorKind::Timeout)),
        };
        let server_host = server.host().to_owned();
        let connect_to = options.connect_to.clone();
        let is_displaced = Arc::new(AtomicBool::new(false));
        let resolver =
            Arc::new(GuardedResolver { names, reach, server: server_host, is_displaced, connect_to });
        let build =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|error| failed(kind_of(&error)));
        let has_proxy = ["http://proxied.invalid", "https://proxied.invalid"]
            .iter()
            .any(|example| Url::parse(example).is_ok_and(|url| is_proxied(&proxies, &url)));
        Ok(HttpClient {
            inner: Arc::new(Inner {
                direct: build(options.direct(&resolver))?,
                proxied: has_proxy.then(|| build(options.proxied())).transpose()?,
                reaches_server_by_proxy: is_proxied(&proxies, server.url()),
                proxies,
                resolver,
                options,
            }),
        })
    }

    pub fn reach(&self) -> Reach {
        self.inner.resolver.reach
    }

    /// True once the server's name led only to addresses that this reach forbids, as it does after a computer joined a
    /// network with names of its own. This client goes on refusing them. A new one decides anew, and must not use
    /// what was discovered by the one before: a document may name only what its own reach permits.
    pub fn is_displaced(&self) -> bool {
        self.inner.resolver.is_displaced.load(Ordering::Relaxed)
    }

    pub(crate) fn deadlines(&self) -> Deadlines {
        self.inner.options.deadlines
    }

    /// A builder for another client under the same address rule, following no redirects: for the connection to the
    /// server itself. The rule speaks at name resolution, so addresses given as numbers pass by it.
    pub fn connection_builder(&self) -> reqwest::ClientBuilder {
        let Inner { options, resolver, reaches_server_by_proxy, .. } = &*self.inner;
        if *reaches_server_by_proxy { options.proxied() } else { options.direct(resolver) }
    }

    /// Gets a document, over at most five redirects, each of them checked like the first address.
    pub(crate) async fn get(&self, step: Step, url: Url) -> Result<Reply, Error> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
        let request = Outgoing { method: Method::GET, url, headers, body: Vec::new() };
        self.send(step, request, self.deadlines().request).await
    }

    /// Sends a request. What carries a body follows only 307 and 308, and only within its own origin.
    pub(crate) async fn send(&self, step: Step, request: Outgoing, within: Duration) -> Result<Reply, Error> {
        let host = request.url.host_str().map(str::to_owned);
        match tokio::time::timeout(within, self.follow(step, request)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(Error { step, host, kind: ErrorKind::Timeout }),
        }
    }

    async fn follow(&self, step: Step, request: Outgoing) -> Result<Reply, Error> {
        let mut url = request.url.clone();
        for hop in 0..=MOST_HOPS {
            let failed = |kind| Error::new(step, url.host_str(), kind);
            let response = self.send_once(&request, &url).await.map_err(failed)?;
            let target = match redirect_target(&response, &url) {
                Some(target) if may_follow(&request.method, response.status(), &url, &target) => target,
                _ => return read(response).await.map_err(failed),
            };
            if hop == MOST_HOPS {
                return Err(failed(ErrorKind::BadRedirect { why: "it goes on and on".to_owned() }));
            }
            if url.scheme() == "https" && target.scheme() != "https" {
                return Err(failed(ErrorKind::BadRedirect {
                    why: "it leaves the encrypted connection".to_owned(),
                }));
            }
            check_url(&target).map_err(|why| failed(ErrorKind::BadRedirect { why }))?;
            url = target;
        }
        Err(Error::new(step, url.host_str(), ErrorKind::BadRedirect { why: "it goes on and on".to_owned() }))
    }

    async fn send_once(&self, request: &Outgoing, url: &Url) -> Result<reqwest::Response, ErrorKind> {
        self.check_literal(url)?;
        let client = match &self.inner.proxied {
            Some(proxied) if is_proxied(&self.inner.proxies, url) => {
                self.check_behind_proxy(url).await?;
                proxied
            }
            _ => &self.inner.direct,
        };
        let outgoing = client.request(request.method.clone(), url.clone()).headers(request.headers.clone());
        outgoing.body(request.body.clone()).send().await.map_err(|error| kind_of(&error))
    }

    /// The address rule for hosts that are no names: the resolver never sees them.
    pub(crate) fn check_literal(&self, url: &Url) -> Result<(), ErrorKind> {
        let permitted = match url.host() {
            Some(Host::Ipv4(ip)) => self.reach().permits(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => self.reach().permits(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => !is_loopback(url) || self.reach() == Reach::Private,
            None => false,
        };
        let address = || url.host_str().unwrap_or_default().to_owned();
        if permitted { Ok(()) } else { Err(ErrorKind::BlockedAddress { address: address() }) }
    }

    async fn check_behind_proxy(&self, url: &Url) -> Result<(), ErrorKind> {
        let Some(Ok(name)) = url.domain().map(str::parse::<Name>) else { return Ok(()) };
        match self.inner.resolver.resolve(name).await {
            Ok(_) => Ok(()),
            Err(error) => match kind_of_lookup(error.as_ref()) {
                blocked @ ErrorKind::BlockedAddress { .. } => Err(blocked),
                _unknown_here => Ok(()),
            },
        }
    }
}

fn is_proxied(proxies: &Matcher, url: &Url) -> bool {
    !is_loopback(url) && url.as_str().parse().is_ok_and(|uri| proxies.intercept(&uri).is_some())
}

async fn addresses_of(url: &Url, names: &Arc<dyn Resolve>) -> Result<Vec<IpAddr>, ErrorKind> {
    let unknown = || ErrorKind::Unreachable { why: "the name of the host is not valid".to_owned() };
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(vec![IpAddr::V4(ip)]),
        Some(Host::Ipv6(ip)) => Ok(vec![IpAddr::V6(ip)]),
        Some(Host::Domain(name)) => {
            let found = lookup(names, name.parse().map_err(|_| unknown())?).await;
            Ok(found.map_err(|error| kind_of_lookup(error.as_ref()))?.map(|address| address.ip()).collect())
        }
        None => Err(unknown()),
    }
}

fn redirect_target(response: &reqwest::Response, from: &Url) -> Option<Url> {
    if !response.status().is_redirection() {
        return None;
    }
    let location = response.headers().get(header::LOCATION)?.to_str().ok()?;
    from.join(location).ok()
}

fn may_follow(method: &Method, status: StatusCode, from: &Url, target: &Url) -> bool {
    let keeps_method = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let changes_method =
        matches!(status, StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND | StatusCode::SEE_OTHER);
    if method == Method::GET {
        keeps_method || changes_method
    } else {
        keeps_method && from.origin() == target.origin()
    }
}

/// Reads the body as it is after decompression, and stops at the cap.
async fn read(mut response: reqwest::Response) -> Result<Reply, ErrorKind> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| kind_of(&error))? {
        if body.len() + chunk.len() > LARGEST_BODY {
            return Err(ErrorKind::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, headers, body })
}
