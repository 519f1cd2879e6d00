//! The HTTP client of all steps. It checks addresses and redirects, limits the size of responses and enforces
//! deadlines.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use hyper_util::client::proxy::matcher::Matcher;
use jiff::Timestamp;
use reqwest::dns::{Name, Resolve};
use url::{Host, Url};
use usher_budgets as budgets;

use crate::endpoint::{check_url, is_loopback};
use crate::resolver::{GuardedResolver, SystemResolver, lookup};
use crate::transport_error::{kind_of, kind_of_lookup};
use crate::{
    Deadlines, DpopKey, DpopSession, Error, ErrorKind, HttpOptions, NetworkZone, PROOF_HEADER, Proof,
    ProofRecipient, ProofRequest, ServerUrl, Step,
};

/// An HTTP client for the sign-in to one server. Cloning is cheap.
///
/// The server's own addresses determine the [`NetworkZone`] once, and the zone limits every later connection. The
/// metadata, redirects and changed DNS records of a public server therefore cannot lead into a private network. A proxy
/// resolves names itself. Behind a proxy, only names that this computer can also resolve are checked.
#[derive(Clone)]
pub struct HttpClient {
    inner: Arc<Inner>,
}

struct Inner {
    direct: reqwest::Client,
    /// `None` if the system has no proxy.
    proxied: Option<reqwest::Client>,
    proxies: Matcher,
    is_server_proxied: bool,
    resolver: Arc<GuardedResolver>,
    options: HttpOptions,
    dpop: DpopSession,
}

/// A request, which may be redirected.
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The key that the request proves. After a redirect, the proof is a new one.
    pub(crate) prover: Option<Prover>,
}

/// The key that a request to an authorization server proves, and the time of the request.
pub(crate) struct Prover {
    pub(crate) key: DpopKey,
    pub(crate) now: Timestamp,
}

/// A response with its body. It may contain tokens, so it has no `Debug`.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The proof of the request.
    pub(crate) proof: Option<Proof>,
}

impl HttpClient {
    /// Resolves the server's name and determines the client's network zone.
    pub async fn for_server(server: &ServerUrl) -> Result<HttpClient, Error> {
        HttpClient::with_options(server, HttpOptions::default()).await
    }

    /// Like [`HttpClient::for_server`], with options.
    pub async fn with_options(server: &ServerUrl, options: HttpOptions) -> Result<HttpClient, Error> {
        let failed = |kind| Error::new(Step::Probe, Some(server.host()), kind);
        let proxies = options.proxies();
        let resolver = options.resolver.clone().unwrap_or_else(|| Arc::new(SystemResolver));
        let looked_up =
            tokio::time::timeout(options.deadlines.request, addresses_of(server.url(), &resolver)).await;
        let zone = match looked_up {
            Ok(Ok(addresses)) => NetworkZone::of_server(&addresses)
                .ok_or_else(|| failed(ErrorKind::BlockedAddress { address: server.host().to_owned() }))?,
            // Behind a proxy, this computer may be unable to resolve names on the internet.
            _ if is_proxied(&proxies, server.url()) => NetworkZone::Public,
            Ok(Err(kind)) => return Err(failed(kind)),
            Err(_elapsed) => return Err(failed(ErrorKind::Timeout)),
        };
        let server_host = server.host().to_owned();
        let connect_to = options.connect_to.clone();
        let has_left_zone = Arc::new(AtomicBool::new(false));
        let resolver =
            Arc::new(GuardedResolver { resolver, zone, server: server_host, has_left_zone, connect_to });
        let build =
            |builder: reqwest::ClientBuilder| builder.build().map_err(|error| failed(kind_of(&error)));
        let has_proxy = ["http://proxied.invalid", "https://proxied.invalid"]
            .iter()
            .any(|example| Url::parse(example).is_ok_and(|url| is_proxied(&proxies, &url)));
        Ok(HttpClient {
            inner: Arc::new(Inner {
                direct: build(options.direct(&resolver))?,
                proxied: has_proxy.then(|| build(options.proxied())).transpose()?,
                is_server_proxied: is_proxied(&proxies, server.url()),
                proxies,
                resolver,
                options,
                dpop: DpopSession::default(),
            }),
        })
    }

    pub fn zone(&self) -> NetworkZone {
        self.inner.resolver.zone
    }

    /// Whether a lookup of the server returned only addresses that the zone forbids, for example after a network
    /// change. This client keeps rejecting them. A new client determines its zone again. The caller must then repeat
    /// discovery, because the old metadata was checked for the old zone.
    pub fn has_left_zone(&self) -> bool {
        self.inner.resolver.has_left_zone.load(Ordering::Relaxed)
    }

    /// The nonces of the server and of its authorization server. The caller's own requests to the server share them.
    pub fn dpop(&self) -> &DpopSession {
        &self.inner.dpop
    }

    pub(crate) fn deadlines(&self) -> Deadlines {
        self.inner.options.deadlines
    }

    /// Returns a builder for the client that connects to the server itself and follows no redirects. Without a proxy,
    /// that client checks resolved names against the zone, but not IP addresses in URLs. With a proxy, nothing is
    /// checked.
    pub fn connection_builder(&self) -> reqwest::ClientBuilder {
        let Inner { options, resolver, is_server_proxied, .. } = &*self.inner;
        if *is_server_proxied { options.proxied() } else { options.direct(resolver) }
    }

    /// Gets a document. Follows at most five redirects, and checks each like the first URL.
    pub(crate) async fn get(&self, step: Step, url: Url) -> Result<Response, Error> {
        let headers = HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static("application/json"))]);
        let request = Request { method: Method::GET, url, headers, body: Vec::new(), prover: None };
        self.send(step, request, self.deadlines().request).await
    }

    /// Sends a request. Requests other than GET follow only 307 and 308, and only within their origin.
    pub(crate) async fn send(
        &self,
        step: Step,
        request: Request,
        deadline: Duration,
    ) -> Result<Response, Error> {
        let host = request.url.host_str().map(str::to_owned);
        match tokio::time::timeout(deadline, self.follow_redirects(step, request)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(Error::new(step, host.as_deref(), ErrorKind::Timeout)),
        }
    }

    async fn follow_redirects(&self, step: Step, request: Request) -> Result<Response, Error> {
        let mut url = request.url.clone();
        let mut redirects = 0;
        loop {
            let failed = |kind| Error::new(step, url.host_str(), kind);
            let (response, proof) = self.send_once(&request, &url).await.map_err(failed)?;
            let target = match redirect_target(&response, &url) {
                Some(target) if may_follow(&request.method, response.status(), &url, &target) => target,
                _ => return read(response, proof).await.map_err(failed),
            };
            if redirects == budgets::REDIRECTS {
                return Err(failed(ErrorKind::BadRedirect {
                    why: "there are too many redirects".to_owned(),
                }));
            }
            redirects += 1;
            if url.scheme() == "https" && target.scheme() != "https" {
                return Err(failed(ErrorKind::BadRedirect { why: "it leads from https to http".to_owned() }));
            }
            check_url(&target).map_err(|why| failed(ErrorKind::BadRedirect { why }))?;
            url = target;
        }
    }

    async fn send_once(
        &self,
        request: &Request,
        url: &Url,
    ) -> Result<(reqwest::Response, Option<Proof>), ErrorKind> {
        self.check_literal(url)?;
        let client = match &self.inner.proxied {
            Some(proxied) if is_proxied(&self.inner.proxies, url) => {
                self.check_behind_proxy(url).await?;
                proxied
            }
            _ => &self.inner.direct,
        };
        let mut headers = request.headers.clone();
        let proof = match &request.prover {
            Some(Prover { key, now }) => {
                let proven = ProofRequest { method: &request.method, url, access_token: None };
                let recipient = ProofRecipient::AuthorizationServer;
                let proof = self.dpop().prove(recipient, key, proven, *now)?;
                headers.insert(PROOF_HEADER, proof.value().clone());
                Some(proof)
            }
            None => None,
        };
        let outgoing = client.request(request.method.clone(), url.clone()).headers(headers);
        let response = outgoing.body(request.body.clone()).send().await.map_err(|error| kind_of(&error))?;
        if let Some(proof) = &proof {
            self.dpop().note(proof, response.headers());
        }
        Ok((response, proof))
    }

    /// Checks a host that is not resolved: an IP address or a loopback name.
    pub(crate) fn check_literal(&self, url: &Url) -> Result<(), ErrorKind> {
        let permitted = match url.host() {
            Some(Host::Ipv4(ip)) => self.zone().permits(IpAddr::V4(ip)),
            Some(Host::Ipv6(ip)) => self.zone().permits(IpAddr::V6(ip)),
            Some(Host::Domain(_)) => !is_loopback(url) || self.zone() == NetworkZone::Private,
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
                // The proxy may resolve a name that this computer cannot.
                _ => Ok(()),
            },
        }
    }
}

fn is_proxied(proxies: &Matcher, url: &Url) -> bool {
    !is_loopback(url) && url.as_str().parse().is_ok_and(|uri| proxies.intercept(&uri).is_some())
}

async fn addresses_of(url: &Url, resolver: &Arc<dyn Resolve>) -> Result<Vec<IpAddr>, ErrorKind> {
    let invalid = || ErrorKind::Unreachable { why: "the host name is invalid".to_owned() };
    match url.host() {
        Some(Host::Ipv4(ip)) => Ok(vec![IpAddr::V4(ip)]),
        Some(Host::Ipv6(ip)) => Ok(vec![IpAddr::V6(ip)]),
        Some(Host::Domain(name)) => {
            let found = lookup(resolver, name.parse().map_err(|_| invalid())?).await;
            Ok(found.map_err(|error| kind_of_lookup(error.as_ref()))?.map(|address| address.ip()).collect())
        }
        None => Err(invalid()),
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

/// Reads the decompressed body up to the limit.
async fn read(mut response: reqwest::Response, proof: Option<Proof>) -> Result<Response, ErrorKind> {
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    // An event stream never ends. Some servers open one at every unknown path.
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    if content_type.to_ascii_lowercase().starts_with(b"text/event-stream") {
        return Err(ErrorKind::NotJson);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| kind_of(&error))? {
        if body.len() + chunk.len() > budgets::DOCUMENT_BYTES {
            return Err(ErrorKind::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Response { status, headers, body, proof })
}
