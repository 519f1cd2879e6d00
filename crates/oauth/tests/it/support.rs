//! A scripted fake server, and shorthands for the sign-in steps.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use usher_oauth::{
    AuthorizationCode, AuthorizationResponse, BearerChallenge, ClientSettings, Deadlines, Discovered,
    DiscoveryRequest, Error, Grant, HttpClient, HttpOptions, PendingAuthorization, RedirectUri, Registered,
    RegistrationRequest, ServerUrl, discover, exchange,
};

/// A scripted response.
#[derive(Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
    /// The response never ends: the connection stays open after the body.
    pub hangs: bool,
}

impl Answer {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type", content_type.to_owned())];
        Answer { status, headers, body: body.into(), hangs: false }
    }

    pub fn json(body: Value) -> Self {
        Answer::new(200, "application/json", body.to_string())
    }

    pub fn json_with_status(status: u16, body: Value) -> Self {
        Answer::new(status, "application/json", body.to_string())
    }

    pub fn redirect(status: u16, to: &str) -> Self {
        Answer::new(status, "text/plain", "").with("location", to)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub fn hanging(mut self) -> Self {
        self.hangs = true;
        self
    }
}

/// A recorded request.
#[derive(Clone, Debug)]
pub struct Seen {
    pub line: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
pub struct Script {
    routes: HashMap<String, VecDeque<Answer>>,
    seen: Vec<Seen>,
}

/// A fake server. It returns 404 for every request without a scripted response.
#[derive(Clone)]
pub struct Fake {
    pub origin: String,
    script: Arc<Mutex<Script>>,
}

impl Fake {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let script = Arc::new(Mutex::new(Script::default()));
        tokio::spawn(axum::serve(listener, router(Arc::clone(&script))).into_future());
        Fake { origin, script }
    }

    /// A fake without a listener, and the router that serves it.
    pub fn behind(origin: &str) -> (Self, axum::Router) {
        let script = Arc::new(Mutex::new(Script::default()));
        (Fake { origin: origin.to_owned(), script: Arc::clone(&script) }, router(script))
    }

    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    pub fn host(&self) -> &str {
        "127.0.0.1"
    }

    pub fn server(&self) -> ServerUrl {
        ServerUrl::parse(&self.at("/mcp")).unwrap()
    }

    /// Scripts the response to `line`, a method and a path.
    pub fn on(&self, line: &str, answer: Answer) -> &Self {
        self.on_each(line, [answer])
    }

    /// Scripts successive responses. The last one is repeated.
    pub fn on_each(&self, line: &str, answers: impl IntoIterator<Item = Answer>) -> &Self {
        self.script.lock().unwrap().routes.insert(line.to_owned(), answers.into_iter().collect());
        self
    }

    pub fn all_seen(&self) -> Vec<Seen> {
        self.script.lock().unwrap().seen.clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.all_seen().into_iter().map(|seen| seen.line).collect()
    }

    pub fn seen(&self, line: &str) -> Vec<Seen> {
        self.all_seen().into_iter().filter(|seen| seen.line == line).collect()
    }

    pub fn forget(&self) {
        self.script.lock().unwrap().seen.clear();
    }

    /// Protected resource metadata and authorization server metadata at the URLs that are tried first.
    pub fn with_documents(&self) -> &Self {
        self.on("GET /.well-known/oauth-protected-resource/mcp", Answer::json(self.resource_document()));
        self.on("GET /.well-known/oauth-authorization-server", Answer::json(self.server_document()))
    }

    pub fn with_server_document(&self, changes: Value) -> &Self {
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

/// Applies `changes` to `document`. Null removes a field.
pub fn merged(mut document: Value, changes: Value) -> Value {
    let fields = document.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    document
}

fn router(script: Arc<Mutex<Script>>) -> axum::Router {
    axum::Router::new().fallback(answer).with_state(script)
}

async fn answer(
    State(script): State<Arc<Mutex<Script>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let line = format!("{method} {}", uri.path_and_query().unwrap());
    let mut script = script.lock().unwrap();
    script.seen.push(Seen { line: line.clone(), headers, body: body.to_vec() });
    let queue = script.routes.get_mut(&line);
    let answer =
        queue.and_then(|queue| if queue.len() > 1 { queue.pop_front() } else { queue.front().cloned() });
    let answer = answer.unwrap_or_else(|| Answer::new(404, "text/plain", "nothing here"));
    let mut response = Response::builder().status(StatusCode::from_u16(answer.status).unwrap());
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    let first = futures::stream::iter([Ok::<_, std::io::Error>(Bytes::from(answer.body.clone()))]);
    let body = match answer.hangs {
        true => Body::from_stream(futures::StreamExt::chain(first, futures::stream::pending())),
        false => Body::from(answer.body),
    };
    response.body(body).unwrap()
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
    fake.on("POST /register", Answer::json_with_status(201, json!({ "client_id": "app" })));
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

/// A query parameter of the authorization request.
pub fn parameter(pending: &PendingAuthorization, name: &str) -> Option<String> {
    let mut pairs = pending.authorization_url().query_pairs();
    pairs.find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}
