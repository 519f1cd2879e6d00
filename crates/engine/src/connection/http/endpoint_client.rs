//! Sends requests to the endpoint of one connection: with its cookies and the access token, and to the address to which
//! it redirects.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cookie::time::OffsetDateTime;
use http::header::{AUTHORIZATION, COOKIE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use reqwest::redirect::Policy;
use reqwest::{Request, RequestBuilder, Response};
use secrecy::ExposeSecret;
use url::Url;
use usher_budgets as budgets;
use usher_oauth::{
    Challenge, DpopSession, PROOF_HEADER, Proof, ProofRecipient, ProofRefusal, ProofRequest, ProofRetries,
};

use super::cookies::Cookies;
use crate::clock::Clock;
use crate::connection::fault::Fault;
use crate::credentials::token::Token;

/// The HTTP client of one connection. Clones share the address and the cookies.
#[derive(Clone, Debug)]
pub(super) struct EndpointClient {
    http: reqwest::Client,
    /// The address in use, which may differ from the entry's address by a slash at the end.
    uri: Arc<Mutex<Url>>,
    cookies: Cookies,
    clock: Clock,
    dpop: DpopSession,
}

/// The reason for having no response.
pub(super) enum SendError {
    /// The server was not reached in time, or no request can help.
    Failed(Fault),
    /// The connection ended instead of a response.
    Dropped(Fault),
}

impl SendError {
    pub fn into_fault(self) -> Fault {
        match self {
            Self::Failed(fault) | Self::Dropped(fault) => fault,
        }
    }

    fn from_reqwest(error: &reqwest::Error) -> Self {
        let fault = Fault::from_reqwest(error);
        if error.is_connect() || error.is_timeout() { Self::Failed(fault) } else { Self::Dropped(fault) }
    }
}

impl EndpointClient {
    pub fn new(
        builder: reqwest::ClientBuilder,
        uri: &str,
        clock: Clock,
        dpop: DpopSession,
    ) -> Result<Self, Fault> {
        let http = builder
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(60))
            // Notices a stream whose other end disappeared.
            .tcp_keepalive(Duration::from_secs(60))
            .user_agent(concat!("Usher/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Fault::from_reqwest(&error))?;
        let cookies = Cookies::new(uri);
        let uri = Url::parse(uri).map_err(|_| Fault::violation("its address is not a URL"))?;
        Ok(Self { http, uri: Arc::new(Mutex::new(uri)), cookies, clock, dpop })
    }

    /// Returns a client for another address of the same server, with the same cookies.
    pub fn at(&self, uri: Url) -> Self {
        Self { uri: Arc::new(Mutex::new(uri)), ..self.clone() }
    }

    /// Sends a request with the token and the cookies of the connection. If the server refuses the proof of a token that
    /// is bound to a key, sends it again with the server's nonce or time. Such a refusal says nothing about the token.
    pub async fn send(
        &self,
        token: Option<&Token>,
        request: impl Fn(&reqwest::Client, Url) -> RequestBuilder,
    ) -> Result<Response, SendError> {
        let mut retries = ProofRetries::default();
        loop {
            let (response, proof) = self.follow_redirects(token, &request).await?;
            let (Some(proof), Some(refusal)) = (proof, proof_refusal(&response)) else { return Ok(response) };
            if !retries.permit(&self.dpop, &proof, refusal, response.headers()) {
                return Err(SendError::Failed(Fault::Protocol(describe(refusal).to_owned())));
            }
        }
    }

    /// Follows redirects within the origin only, so that no token and no proof reaches another one: 307 and 308, and one
    /// 301 or 302 that only adds or removes a slash at the end. The latter keeps the method and the body, and its
    /// address is used from then on.
    async fn follow_redirects(
        &self,
        token: Option<&Token>,
        request: impl Fn(&reqwest::Client, Url) -> RequestBuilder,
    ) -> Result<(Response, Option<Proof>), SendError> {
        let mut url = self.uri.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut redirects = 0;
        loop {
            let (response, proof) = self.send_once(token, request(&self.http, url.clone())).await?;
            let target = match slash_redirect(&url, &response).filter(|_| redirects == 0) {
                Some(moved) => {
                    *self.uri.lock().unwrap_or_else(PoisonError::into_inner) = moved.clone();
                    Some(moved)
                }
                None => redirect_within_origin(&url, &response).filter(|_| redirects < budgets::REDIRECTS),
            };
            let Some(target) = target else { return Ok((response, proof)) };
            redirects += 1;
            url = target;
        }
    }

    async fn send_once(
        &self,
        token: Option<&Token>,
        request: RequestBuilder,
    ) -> Result<(Response, Option<Proof>), SendError> {
        let now = OffsetDateTime::from_unix_timestamp(self.clock.now().as_second());
        let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let mut request = request.build().map_err(|error| SendError::from_reqwest(&error))?;
        // A cookie in mcp.json replaces those of the connection.
        if let Some(cookies) = self.cookies.header(request.url(), now) {
            request.headers_mut().entry(COOKIE).or_insert(cookies);
        }
        let proof = match token {
            Some(token) => self.authorize(&mut request, token).map_err(SendError::Failed)?,
            None => None,
        };
        let response = self.http.execute(request).await.map_err(|error| SendError::from_reqwest(&error))?;
        self.cookies.note(response.url(), response.headers(), now);
        if let Some(proof) = &proof {
            self.dpop.note(proof, response.headers());
        }
        Ok((response, proof))
    }

    /// Adds the token in the scheme of its type (RFC 6750 §2.1, RFC 9449 §7.1), and a new proof if the token is bound to
    /// a key.
    fn authorize(&self, request: &mut Request, token: &Token) -> Result<Option<Proof>, Fault> {
        let cannot_sign = || Fault::Protocol("the request could not be signed".to_owned());
        let scheme = if token.key().is_some() { "DPoP" } else { "Bearer" };
        let value = HeaderValue::try_from(format!("{scheme} {}", token.secret().expose_secret()));
        let mut value =
            value.map_err(|_| Fault::Protocol("the access token is not plain text".to_owned()))?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        let Some(key) = token.key() else { return Ok(None) };
        let proven =
            ProofRequest { method: request.method(), url: request.url(), access_token: Some(token.secret()) };
        let proof = self.dpop.prove(ProofRecipient::ResourceServer, key, proven, self.clock.now());
        let proof = proof.map_err(|_| cannot_sign())?;
        request.headers_mut().insert(PROOF_HEADER, proof.value().clone());
        Ok(Some(proof))
    }
}

/// Returns the reason why the server refused the proof of a request, if that is why it refused the request.
fn proof_refusal(response: &Response) -> Option<ProofRefusal> {
    if response.status() != StatusCode::UNAUTHORIZED {
        return None;
    }
    Challenge::from_headers(response.headers().get_all(WWW_AUTHENTICATE))?.proof_refusal()
}

fn describe(refusal: ProofRefusal) -> &'static str {
    match refusal {
        ProofRefusal::NonceRequired => "the server rejects the nonce that it sent",
        ProofRefusal::Invalid => {
            "the server rejects the proof of Usher's key; the date or time of this computer may be wrong"
        }
    }
}

/// Returns the target of a 307 or 308 within the origin.
fn redirect_within_origin(url: &Url, response: &Response) -> Option<Url> {
    let keeps_method =
        matches!(response.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
    let location = response.headers().get(LOCATION).filter(|_| keeps_method)?;
    let target = url.join(location.to_str().ok()?).ok()?;
    (target.origin() == url.origin()).then_some(target)
}

/// Returns the target of a redirect that differs only by a slash at the end of the path.
fn slash_redirect(url: &Url, response: &Response) -> Option<Url> {
    let may_be_followed = matches!(response.status(), StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND);
    let location = response.headers().get(LOCATION).filter(|_| may_be_followed)?;
    let target = url.join(location.to_str().ok()?).ok()?;
    let mut other = url.clone();
    let path = match url.path().strip_suffix('/') {
        Some(path) => path.to_owned(),
        None => format!("{}/", url.path()),
    };
    other.set_path(&path);
    (target == other && target != *url).then_some(target)
}
