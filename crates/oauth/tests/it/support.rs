//! A scripted fake server, and shorthands for the sign-in steps.

use std::cell::RefCell;
use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use usher_fake_service::{FakeService, Request};
pub use usher_fake_service::{Reply as Answer, merged};
use usher_oauth::{
    AuthorizationCode, AuthorizationResponse, BearerChallenge, ClientSettings, Deadlines, Discovered,
    DiscoveryRequest, Error, Grant, HttpClient, HttpOptions, PendingAuthorization, RedirectUri, Registered,
    RegistrationRequest, ServerUrl, discover, exchange,
};

/// A fake server. It returns 404 for every request without a scripted response.
pub struct Fake(FakeService);

impl Deref for Fake {
    type Target = FakeService;

    fn deref(&self) -> &FakeService {
        &self.0
    }
}

impl Fake {
    pub async fn start() -> Self {
        Fake(FakeService::scripted().await.unwrap())
    }

    /// A fake without a listener, and the router that serves it.
    pub fn behind(origin: &str) -> (Self, axum::Router) {
        let (service, router) = FakeService::behind(origin);
        (Fake(service), router)
    }

    pub fn host(&self) -> &str {
        "127.0.0.1"
    }

    pub fn server(&self) -> ServerUrl {
        ServerUrl::parse(&self.url()).unwrap()
    }

    /// The method and path of each request.
    pub fn lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.line).collect()
    }

    pub fn seen(&self, line: &str) -> Vec<Request> {
        self.requests_to(line)
    }

    /// Protected resource metadata and authorization server metadata at the URLs that are tried first.
    pub fn with_documents(&self) -> &FakeService {
        self.on("GET /.well-known/oauth-protected-resource/mcp", Answer::json(self.resource_document()));
        self.on("GET /.well-known/oauth-authorization-server", Answer::json(self.server_document()))
    }

    pub fn with_server_document(&self, changes: Value) -> &FakeService {
        self.with_documents();
        let document = merged(self.server_document(), changes);
        self.on("GET /.well-known/oauth-authorization-server", Answer::json(document))
    }

    pub fn resource_document(&self) -> Value {
        json!({ "resource": self.at("/mcp"), "authorization_servers": [self.origin] })
    }

    pub fn server_document(&self) -> Value {
        json!({
            "issuer": self.origin,
            "authorization_endpoint": self.at("/authorize"),
            "token_endpoint": self.at("/token"),
            "registration_endpoint": self.at("/register"),
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        })
    }
}

pub fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

pub fn later(seconds: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_secs(seconds)
}

/// Deadlines that are short for a test and long enough for a loaded machine.
pub fn short_deadlines() -> HttpOptions {
    let short = Duration::from_millis(400);
    HttpOptions {
        deadlines: Deadlines { request: short, discovery: short * 4, token: short },
        ..Default::default()
    }
}

thread_local! {
    static HTTP: RefCell<Option<HttpClient>> = const { RefCell::new(None) };
}

/// One client for all fakes of a test, which are all on loopback. Creating a client loads the system's certificates.
pub async fn http_for(fake: &Fake) -> HttpClient {
    if let Some(http) = HTTP.with_borrow(Clone::clone) {
        return http;
    }
    let http = HttpClient::for_server(&fake.server()).await.unwrap();
    HTTP.set(Some(http.clone()));
    http
}

pub async fn discover_with(
    fake: &Fake,
    challenge: Option<&BearerChallenge>,
    settings: &ClientSettings,
) -> Result<Discovered, Error> {
    let (http, server) = (http_for(fake).await, fake.server());
    discover(&http, DiscoveryRequest { server: &server, challenge, settings, has_grant: false }).await
}

pub async fn discovered(fake: &Fake) -> Discovered {
    discover_with(fake, None, &ClientSettings::default()).await.unwrap()
}

pub async fn register_with(
    fake: &Fake,
    settings: &ClientSettings,
    redirect: &RedirectUri,
) -> Result<Registered, Error> {
    let request = RegistrationRequest { settings, redirect, known: None };
    discover_with(fake, None, settings).await?.register(&http_for(fake).await, request, now()).await
}

/// A registration with the client ID `app`.
pub async fn registered(fake: &Fake) -> Registered {
    fake.on("POST /register", Answer::json_with(201, json!({ "client_id": "app" })));
    register_with(fake, &ClientSettings::default(), &RedirectUri::custom_scheme()).await.unwrap()
}

pub async fn pending(fake: &Fake) -> PendingAuthorization {
    registered(fake).await.authorize(None, now()).unwrap()
}

/// The callback address with the request's `state`.
pub fn callback(pending: &PendingAuthorization, parameters: &str) -> String {
    format!("{}?state={}&{parameters}", pending.redirect_uri(), pending.state())
}

pub fn parsed(raw: &str) -> Result<AuthorizationResponse, Error> {
    AuthorizationResponse::parse(raw, &[RedirectUri::custom_scheme(), RedirectUri::custom_scheme_with_host()])
}

pub fn accepted(pending: PendingAuthorization) -> AuthorizationCode {
    let raw = callback(&pending, "code=the-code");
    let redirect = pending.redirect_uri().clone();
    pending.accept(AuthorizationResponse::parse(&raw, [&redirect]).unwrap(), now()).unwrap()
}

/// Signs in and exchanges the code. The token endpoint returns `answers`.
pub async fn exchanged(fake: &Fake, answers: impl IntoIterator<Item = Answer>) -> Result<Grant, Error> {
    fake.with_documents().on_each("POST /token", answers);
    let code = accepted(pending(fake).await);
    exchange(&http_for(fake).await, code, now()).await
}

pub fn challenge(text: &str) -> BearerChallenge {
    BearerChallenge::from_headers([&text.parse().unwrap()]).unwrap()
}

pub fn parameter(pending: &PendingAuthorization, name: &str) -> Option<String> {
    let mut pairs = pending.authorization_url().query_pairs();
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
