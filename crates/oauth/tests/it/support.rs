//! A scripted fake server, and shorthands for the sign-in steps.

use std::cell::RefCell;
use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use usher_fake_service::FakeService;
pub use usher_fake_service::{Reply as Response, merged};
use usher_oauth::{
    AuthorizationCode, AuthorizationResponse, Challenge, ClientSettings, Deadlines, Discovered,
    DiscoveryRequest, Error, Grant, HttpClient, HttpOptions, PendingAuthorization, RedirectUri, Registered,
    RegisteredClient, RegistrationRequest, Scopes, ServerUrl, discover, exchange,
};

pub const RESOURCE: &str = "GET /.well-known/oauth-protected-resource/mcp";
pub const METADATA: &str = "GET /.well-known/oauth-authorization-server";
pub const REGISTER: &str = "POST /register";
pub const TOKEN: &str = "POST /token";

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

    /// Starts a fake with metadata at the URLs that are tried first.
    pub async fn start_with_metadata() -> Self {
        let fake = Fake::start().await;
        fake.serve_metadata();
        fake
    }

    /// Starts a fake with metadata, and with these changes in the authorization server metadata.
    pub async fn start_with_changed_metadata(changes: Value) -> Self {
        let fake = Fake::start().await;
        fake.serve_changed_metadata(changes);
        fake
    }

    /// Starts a fake with metadata and another response, which may replace a document.
    pub async fn start_with_response(line: &str, response: Response) -> Self {
        let fake = Fake::start_with_metadata().await;
        fake.on(line, response);
        fake
    }

    /// Returns a fake without a listener, and its router.
    pub fn without_listener(origin: &str) -> (Self, axum::Router) {
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
    pub fn request_lines(&self) -> Vec<String> {
        self.requests().into_iter().map(|request| request.line).collect()
    }

    /// Serves protected resource metadata and authorization server metadata at the URLs that are tried first.
    pub fn serve_metadata(&self) -> &FakeService {
        self.on(RESOURCE, Response::json(self.resource_document()));
        self.on(METADATA, Response::json(self.server_document()))
    }

    pub fn serve_changed_metadata(&self, changes: Value) -> &FakeService {
        self.serve_metadata();
        self.on(METADATA, Response::json(merged(self.server_document(), changes)))
    }

    pub fn serve_changed_resource_metadata(&self, changes: Value) -> &FakeService {
        self.on(RESOURCE, Response::json(merged(self.resource_document(), changes)))
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

pub fn now_plus(seconds: i64) -> Timestamp {
    now() + jiff::SignedDuration::from_secs(seconds)
}

/// Options with deadlines that are short for a test and long enough for a loaded machine.
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

/// Returns one client for all fakes of a test, because creating a client is slow: it loads the system's certificates.
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
    challenge: Option<&Challenge>,
    settings: &ClientSettings,
) -> Result<Discovered, Error> {
    let (http, server) = (http_for(fake).await, fake.server());
    discover(&http, DiscoveryRequest { server: &server, challenge, settings, has_grant: false }).await
}

pub async fn discover_with_client(
    http: &HttpClient,
    server: &ServerUrl,
    challenge: Option<&Challenge>,
) -> Result<Discovered, Error> {
    let settings = ClientSettings::default();
    discover(http, DiscoveryRequest { server, challenge, settings: &settings, has_grant: false }).await
}

pub async fn discovery_error(fake: &Fake) -> Error {
    discover_with(fake, None, &ClientSettings::default()).await.unwrap_err()
}

pub async fn discovered(fake: &Fake) -> Discovered {
    discover_with(fake, None, &ClientSettings::default()).await.unwrap()
}

pub async fn register_with(
    fake: &Fake,
    settings: &ClientSettings,
    redirect: &RedirectUri,
) -> Result<Registered, Error> {
    let request = RegistrationRequest {
        settings,
        redirect: Some(redirect),
        extra_scopes: &Scopes::default(),
        known: None,
    };
    discover_with(fake, None, settings).await?.register(&http_for(fake).await, request, now()).await
}

/// Registers with a discovered authorization server, unless `known` can be used.
pub async fn register_at(
    fake: &Fake,
    discovered: Discovered,
    settings: &ClientSettings,
    known: Option<RegisteredClient>,
) -> Registered {
    let redirect = RedirectUri::custom_scheme();
    let request =
        RegistrationRequest { settings, redirect: Some(&redirect), extra_scopes: &Scopes::default(), known };
    discovered.register(&http_for(fake).await, request, now()).await.unwrap()
}

/// Registers a client with the ID `app`.
pub async fn registered(fake: &Fake) -> Registered {
    fake.on(REGISTER, created(json!({ "client_id": "app" })));
    register_with(fake, &ClientSettings::default(), &RedirectUri::custom_scheme()).await.unwrap()
}

pub fn created(client: Value) -> Response {
    Response::json_with(201, client)
}

pub async fn pending(fake: &Fake) -> PendingAuthorization {
    registered(fake).await.authorize(&Scopes::default(), now()).unwrap()
}

/// Returns a callback address with the request's `state` and these parameters.
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

/// Signs in and exchanges the code. The token endpoint returns `responses`.
pub async fn exchanged(fake: &Fake, responses: impl IntoIterator<Item = Response>) -> Result<Grant, Error> {
    fake.serve_metadata().on_each(TOKEN, responses);
    let code = accepted(pending(fake).await);
    exchange(&http_for(fake).await, code, now()).await
}

pub fn challenge(text: &str) -> Challenge {
    Challenge::from_headers([&text.parse().unwrap()]).unwrap()
}

pub fn parameter(pending: &PendingAuthorization, name: &str) -> Option<String> {
    let mut pairs = pending.authorization_url().query_pairs();
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
