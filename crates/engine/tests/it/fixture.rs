//! An engine in temporary folders, a demo service, and a person with a browser.

use std::path::PathBuf;
use std::time::Duration;

use axum::response::Response;
use tempfile::TempDir;
use usher_api::{AuthorizationRequestView, ErrorView, Event, ServerId, ServerView, SignInStep, Status};
use usher_demo::{Demo, DemoOptions, Eras, RequestRecord};
use usher_engine::{Clock, Engine, EngineOptions, Events, SignInOptions};
use usher_fake_service::{FakeService, Options, Request};
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
    Demo::start(DemoOptions::default()).await.unwrap()
}

pub fn id() -> ServerId {
    ServerId("demo".to_owned())
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

pub fn has_failed(view: &ServerView) -> bool {
    matches!(view.status, Status::Failed { .. })
}

/// Opens the consent page and presses a button, as a person does. Returns the callback.
pub async fn decide(request: &AuthorizationRequestView, decision: &str) -> String {
    let http =
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
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
    let callback = decide(&request, "allow").await;
    engine.complete_sign_in(&callback).await
}

/// An engine that is signed in to a demo.
pub async fn signed_in(sandbox: &Sandbox, demo: &Demo) -> Engine {
    sandbox.configure(demo);
    let engine = sandbox.start().await;
    sign_in(&engine, &id()).await.unwrap();
    engine
}

/// The requests to a demo, one line each. `subscriptions/listen` is omitted, because its time varies.
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
    tokio::time::timeout(TIMEOUT, async {
        while !demo.requests().iter().any(|record| listens(record) && record.status == 200) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await
    .unwrap();
}

/// The events of an engine as lines, without repetitions.
pub struct EventLog {
    events: Events,
}

impl EventLog {
    pub fn start(engine: &Engine) -> Self {
        Self { events: engine.subscribe() }
    }

    /// The events since the last call.
    pub fn lines(&mut self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            let line = match event {
                Event::ServerChanged { view, .. } => format!("{} {}", view.id, state(&view.status)),
                Event::ServerRemoved { id, .. } => format!("{id} removed"),
                Event::ConfigChanged { order, .. } => {
                    format!("config {}", order.iter().map(|id| id.0.as_str()).collect::<Vec<_>>().join(" "))
                }
                Event::ConfigRejected { .. } => "config rejected".to_owned(),
                Event::SecretStoreChanged { secret_store, .. } => format!("{secret_store:?}"),
                Event::ToolsChanged { id, .. } => format!("{id} tools changed"),
                Event::ResourcesChanged { id, .. } => format!("{id} resources changed"),
                Event::PromptsChanged { id, .. } => format!("{id} prompts changed"),
                Event::PausedChanged { paused, .. } => (if paused { "paused" } else { "resumed" }).to_owned(),
                Event::CallProgressed { call, progress, .. } => format!("{call} at {progress}"),
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
        Status::Unsupported { .. } => "unsupported".to_owned(),
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
