//! An engine in temporary folders, a demo service, and a person with a browser.

use std::path::PathBuf;
use std::time::Duration;

use axum::response::Response;
use serde_json::Map;
use tempfile::TempDir;
use usher_api::{
    AuthorizationRequestView, DeviceSignInView, ErrorView, Event, NeedsSignIn, ServerId, ServerView,
    SignInRequest, SignInStep, Status, ToolCallView,
};
use usher_demo::{Demo, DemoOptions, Eras, RequestRecord};
use usher_engine::{CallOptions, Clock, Engine, EngineOptions, Events, SignInOptions};
use usher_fake_service::{FakeService, Options, Request, http_client};
use usher_secrets::StoreKind;

/// The deadline of every wait, long enough for a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The folders and the clock of an engine.
pub struct Sandbox {
    folder: TempDir,
    pub clock: Clock,
}

impl Sandbox {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: Clock::default() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn options(&self) -> EngineOptions {
        EngineOptions {
            clock: self.clock.clone(),
            ..EngineOptions::new(
                self.path("mcp.json"),
                self.path("state"),
                self.path("runtime"),
                StoreKind::File(self.path("secrets")),
            )
        }
    }

    pub fn write_config(&self, text: &str) {
        std::fs::write(self.path("mcp.json"), text).unwrap();
    }

    /// Writes an `mcp.json` with this service under the name `demo`.
    pub fn configure(&self, demo: &Demo) {
        self.write_config(&config(&[("demo", demo.url().as_str())]));
    }

    pub async fn start(&self) -> Engine {
        Engine::start(self.options()).await.unwrap()
    }

    /// Starts an engine, and waits until it has connected to the demo. The demo's grant must already be stored.
    pub async fn start_connected(&self) -> Engine {
        let engine = self.start().await;
        until(&engine, &id(), is_connected).await;
        engine
    }
}

pub fn config(servers: &[(&str, &str)]) -> String {
    let entry =
        |(name, url): &(&str, &str)| format!("\"{name}\": {{ \"type\": \"http\", \"url\": \"{url}\" }}");
    let entries: Vec<_> = servers.iter().map(entry).collect();
    format!("{{ \"mcpServers\": {{ {} }} }}", entries.join(", "))
}

/// A server of the older protocol without sign-in, whose responses `script` can replace.
pub async fn mcp_server(
    script: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
) -> FakeService {
    let server = FakeService::start(Options::open_handshake()).await.unwrap();
    server.intercept(script);
    server
}

pub async fn demo() -> Demo {
    demo_with(DemoOptions::default()).await
}

pub async fn demo_with(options: DemoOptions) -> Demo {
    Demo::start(options).await.unwrap()
}

/// An engine whose `mcp.json` contains this address under the name `demo`.
pub async fn started_at(url: &str) -> (Sandbox, Engine) {
    let sandbox = Sandbox::new();
    sandbox.write_config(&config(&[("demo", url)]));
    let engine = sandbox.start().await;
    (sandbox, engine)
}

/// An engine that is connected to this server.
pub async fn connected_to(server: &FakeService) -> (Sandbox, Engine) {
    let (sandbox, engine) = started_at(&server.url()).await;
    until(&engine, &id(), is_connected).await;
    (sandbox, engine)
}

/// A demo, and an engine whose `mcp.json` contains it.
pub async fn started(options: DemoOptions) -> (Sandbox, Demo, Engine) {
    let demo = demo_with(options).await;
    let (sandbox, engine) = started_at(demo.url().as_str()).await;
    (sandbox, demo, engine)
}

/// A demo, and an engine that is signed in to it.
pub async fn signed_in(options: DemoOptions) -> (Sandbox, Demo, Engine) {
    let (sandbox, demo, engine) = started(options).await;
    sign_in(&engine, &id()).await.unwrap();
    (sandbox, demo, engine)
}

pub fn id() -> ServerId {
    ServerId("demo".to_owned())
}

/// Calls a tool without arguments. The tool's name is also the name of the call.
pub async fn call(engine: &Engine, tool: &str) -> Result<ToolCallView, ErrorView> {
    engine.call_tool(&id(), tool, Map::new(), CallOptions::new(tool)).await
}

/// Options of a demo whose access tokens have this lifetime.
pub fn lifetime(life: Duration) -> DemoOptions {
    DemoOptions { access_token_lifetime: life, ..DemoOptions::default() }
}

/// Moves the clocks of the engine and the demos.
pub fn advance(sandbox: &Sandbox, demos: &[&Demo], time: Duration) {
    sandbox.clock.advance(time);
    demos.iter().for_each(|demo| demo.advance_clock(time));
}

/// Waits until a condition holds. Use it for conditions that no event reports.
pub async fn until_true(mut condition: impl FnMut() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap();
}

/// Waits for an event. The subscription starts when the future is first polled.
pub async fn until_event(engine: &Engine, condition: impl Fn(&Event) -> bool) {
    let mut events = engine.subscribe();
    let wait = async { while !condition(&events.recv().await.unwrap()) {} };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap();
}

/// Waits until the server's view satisfies a condition.
pub async fn until(engine: &Engine, id: &ServerId, condition: impl Fn(&ServerView) -> bool) -> ServerView {
    let mut events = engine.subscribe();
    let wait = async {
        loop {
            if let Some(view) = engine.server(id).filter(|view| condition(view)) {
                return view;
            }
            events.recv().await.unwrap();
        }
    };
    match tokio::time::timeout(TIMEOUT, wait).await {
        Ok(view) => view,
        Err(_) => panic!("timed out; last view: {:#?}", engine.server(id)),
    }
}

pub fn is_connected(view: &ServerView) -> bool {
    matches!(view.status, Status::Connected { .. })
}

pub fn needs_sign_in(view: &ServerView) -> bool {
    matches!(view.status, Status::NeedsSignIn { .. })
}

/// Waits until the server needs a sign-in, and asserts the reason.
pub async fn until_sign_in_needed(engine: &Engine, reason: NeedsSignIn) -> ServerView {
    let view = until(engine, &id(), needs_sign_in).await;
    assert_eq!(view.status, Status::NeedsSignIn { reason });
    view
}

pub fn has_failed(view: &ServerView) -> bool {
    matches!(view.status, Status::Failed { .. })
}

pub fn is_reconnecting(view: &ServerView) -> bool {
    matches!(view.status, Status::Reconnecting { .. })
}

/// Opens the consent page and presses a button, as a person does. Returns the callback.
pub async fn decide(request: &AuthorizationRequestView, decision: &str) -> String {
    let http = http_client().build().unwrap();
    let page = http.get(&request.authorization_url).send().await.unwrap().text().await.unwrap();
    let ticket =
        page.split_once(r#"name="ticket" value=""#).unwrap_or_else(|| panic!("not a consent page: {page}")).1;
    let ticket = ticket.split_once('"').unwrap().0;
    let mut address = url::Url::parse(&request.authorization_url).unwrap();
    address.set_query(None);
    let response =
        http.post(address).form(&[("ticket", ticket), ("decision", decision)]).send().await.unwrap();
    response.headers()["location"].to_str().unwrap().to_owned()
}

/// Signs in, and approves the request in the browser.
pub async fn sign_in(engine: &Engine, id: &ServerId) -> Result<ServerId, ErrorView> {
    let request = engine.sign_in(id, SignInOptions::default()).await?;
    approve(engine, &request).await
}

/// Starts a sign-in on another device.
pub async fn sign_in_on_device(engine: &Engine) -> Result<DeviceSignInView, ErrorView> {
    let options = SignInOptions { on_device: true, ..SignInOptions::default() };
    match engine.start_sign_in(&id(), options).await? {
        SignInRequest::Device(device) => Ok(device),
        other @ (SignInRequest::Browser(_) | SignInRequest::Unattended) => {
            panic!("not on a device: {other:?}")
        }
    }
}

/// Enters the code on the demo's page, and presses a button.
pub async fn decide_on_device(device: &DeviceSignInView, decision: &str) {
    let http = http_client().build().unwrap();
    let post = async |form: &[(&str, &str)]| {
        http.post(&device.verification_uri).form(form).send().await.unwrap().text().await.unwrap()
    };
    let page = post(&[("user_code", &device.user_code)]).await;
    let (_, rest) = page.split_once(r#"name="ticket" value=""#).expect("a consent page");
    let ticket = rest.split_once('"').unwrap().0;
    post(&[("ticket", ticket), ("decision", decision)]).await;
}

/// Approves the request in the browser, and completes the sign-in with the callback.
pub async fn approve(engine: &Engine, request: &AuthorizationRequestView) -> Result<ServerId, ErrorView> {
    engine.complete_sign_in(&decide(request, "allow").await).await
}

/// A demo, and the folders of an engine that was signed in to it and has stopped.
pub async fn signed_in_before() -> (Sandbox, Demo) {
    let (sandbox, demo, engine) = signed_in(Default::default()).await;
    engine.stop().await;
    (sandbox, demo)
}

/// The requests to a demo, one line each. `subscriptions/listen` is omitted, because its position varies.
pub fn requests(demo: &Demo) -> Vec<String> {
    let listens = |record: &&RequestRecord| record.mcp_method.as_deref() == Some("subscriptions/listen");
    demo.requests().iter().filter(|record| !listens(record)).map(line).collect()
}

fn line(record: &RequestRecord) -> String {
    let request = match (&record.grant_type, &record.mcp_method) {
        (Some(grant_type), _) => format!("{} {grant_type}", record.path),
        (None, Some(method)) => format!("{} {method}", record.path),
        (None, None) => record.path.clone(),
    };
    format!("{} {request} {}", record.method, record.status)
}

/// Waits until the engine receives the server's notifications. Changes that the server announces earlier are lost.
pub async fn until_listening(demo: &Demo, eras: Eras) {
    let listens = |record: &RequestRecord| match eras {
        Eras::All => record.mcp_method.as_deref() == Some("subscriptions/listen"),
        Eras::HandshakeOnly => record.method == "GET" && record.path == "/mcp",
    };
    until_true(|| demo.requests().iter().any(|record| listens(record) && record.status == 200)).await;
}

/// The events of an engine as lines, without consecutive duplicates.
pub struct EventLog {
    events: Events,
}

impl EventLog {
    pub fn start(engine: &Engine) -> Self {
        Self { events: engine.subscribe() }
    }

    /// Returns the events since `lines` last returned.
    pub fn lines(&mut self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            let line = match event {
                Event::ServerChanged { view, .. } => format!("{} {}", view.id, state(&view.status)),
                Event::ServerRemoved { id, .. } => format!("{id} removed"),
                Event::ConfigChanged { order, .. } => {
                    format!("config {}", order.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(" "))
                }
                Event::ConfigReloaded { changes, .. } => format!("reloaded {changes:?}"),
                Event::ConfigRejected { .. } => "config rejected".to_owned(),
                Event::SecretStoreChanged { secret_store, .. } => format!("{secret_store:?}"),
                Event::ToolsChanged { id, .. } => format!("{id} tools changed"),
                Event::ResourcesChanged { id, .. } => format!("{id} resources changed"),
                Event::PromptsChanged { id, .. } => format!("{id} prompts changed"),
                Event::PausedChanged { paused, .. } => (if paused { "paused" } else { "resumed" }).to_owned(),
                Event::CallProgressed { call, progress, .. } => format!("{call} at {progress}"),
                Event::CallWaitsForAnswer { call, .. } => format!("{call} waits for an answer"),
                Event::ElicitationRequested { elicitation, .. } => format!("{} asks", elicitation.server),
                Event::ElicitationEnded { .. } => "answered".to_owned(),
            };
            if lines.last() != Some(&line) {
                lines.push(line);
            }
        }
        lines
    }
}

fn state(status: &Status) -> String {
    match status {
        Status::Disabled => "disabled".to_owned(),
        Status::Paused => "paused".to_owned(),
        Status::Connecting => "connecting".to_owned(),
        Status::NeedsSignIn { reason } => format!("needs sign-in: {reason:?}"),
        Status::SigningIn { step, opened, .. } => match (step, opened) {
            (SignInStep::WaitingForBrowser, Some(_)) => "signing in: browser opened".to_owned(),
            _ => format!("signing in: {step:?}"),
        },
        Status::Connected { tool_count, .. } => format!("connected, {tool_count} tools"),
        Status::Reconnecting { attempt, .. } => format!("reconnecting, attempt {attempt}"),
        Status::Failed { error } => format!("failed: {:?}", error.code),
    }
}
