//! Sends requests to the endpoint of one connection: with its cookies, and to the address to which it redirects.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cookie::time::OffsetDateTime;
use http::StatusCode;
use http::header::{COOKIE, LOCATION};
use url::Url;
use usher_budgets as budgets;

use super::cookies::Cookies;
use crate::clock::Clock;
use crate::connection::fault::Fault;

/// The HTTP client of one connection. Clones share the address and the cookies.
#[derive(Clone, Debug)]
pub(super) struct EndpointClient {
    http: reqwest::Client,
    /// The address in use, which may differ from the entry's address by a slash at the end.
    uri: Arc<Mutex<Url>>,
    cookies: Cookies,
    clock: Clock,
}

impl EndpointClient {
    /// Creates the client. It follows only 307 and 308 redirects within the origin, and those of [`Self::send`], so that
    /// no token reaches another origin.
    pub fn new(builder: reqwest::ClientBuilder, uri: &str, clock: Clock) -> Result<Self, Fault> {
        let policy = reqwest::redirect::Policy::custom(|attempt| {
            let keeps_method =
                matches!(attempt.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            let same_origin =
                attempt.previous().last().is_some_and(|url| url.origin() == attempt.url().origin());
            if keeps_method && same_origin && attempt.previous().len() <= budgets::REDIRECTS {
                attempt.follow()
            } else {
                attempt.stop()
            }
        });
        let http = builder
            .redirect(policy)
            .connect_timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(60))
            // Notices a stream whose other end disappeared.
            .tcp_keepalive(Duration::from_secs(60))
            .user_agent(concat!("Usher/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Fault::from_reqwest(&error))?;
        let cookies = Cookies::new(uri);
        let uri = Url::parse(uri).map_err(|_| Fault::violation("its address is not a URL"))?;
        Ok(Self { http, uri: Arc::new(Mutex::new(uri)), cookies, clock })
    }

    /// Returns a client for another address of the same server, with the same cookies.
    pub fn at(&self, uri: Url) -> Self {
        Self { uri: Arc::new(Mutex::new(uri)), ..self.clone() }
    }

    /// Sends a request with the cookies of the connection. Follows one 301 or 302 that only adds or removes a slash at
    /// the end, with the method and the body kept, and uses that address from then on.
    pub async fn send(
        &self,
        request: impl Fn(&reqwest::Client, Url) -> reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, reqwest::Error> {
        let uri = self.uri.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let response = self.send_once(request(&self.http, uri.clone())).await?;
        let Some(moved) = slash_redirect(&uri, &response) else { return Ok(response) };
        *self.uri.lock().unwrap_or_else(PoisonError::into_inner) = moved.clone();
        self.send_once(request(&self.http, moved)).await
    }

    async fn send_once(&self, request: reqwest::RequestBuilder) -> Result<reqwest::Response, reqwest::Error> {
        let now = OffsetDateTime::from_unix_timestamp(self.clock.now().as_second());
        let now = now.unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let mut request = request.build()?;
        // A cookie in mcp.json replaces those of the connection.
        if let Some(cookies) = self.cookies.header(request.url(), now) {
            request.headers_mut().entry(COOKIE).or_insert(cookies);
        }
        let response = self.http.execute(request).await?;
        self.cookies.note(response.url(), response.headers(), now);
        Ok(response)
    }
}

/// Returns the target of a redirect that differs only by a slash at the end of the path.
fn slash_redirect(uri: &Url, response: &reqwest::Response) -> Option<Url> {
    let may_be_followed = matches!(response.status(), StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND);
    let location = response.headers().get(LOCATION).filter(|_| may_be_followed)?;
    let target = uri.join(location.to_str().ok()?).ok()?;
    let mut other = uri.clone();
    let path = match uri.path().strip_suffix('/') {
        Some(path) => path.to_owned(),
        None => format!("{}/", uri.path()),
    };
    other.set_path(&path);
    (target == other && target != *uri && response.url() == uri).then_some(target)
}
