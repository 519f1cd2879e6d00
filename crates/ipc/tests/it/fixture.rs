//! An engine in temporary folders, a demo service, and a simulated browser that approves sign-ins.

use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;
use usher_api::{AuthorizationRequestView, CallingProgram, Reply, Request, ServerId, ServerView, Status};
use usher_demo::{Demo, DemoOptions};
use usher_engine::{Engine, EngineOptions, SignInOptions};
use usher_fake_service::http_client;
use usher_ipc::{Client, ConnectError, Holder, JoinOptions, Paths, Server, Servers};
use usher_secrets::StoreKind;

/// The deadline of every wait, long enough for a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub struct Fixture {
    folder: TempDir,
    pub demo: Demo,
}

pub struct Held {
    pub engine: Engine,
    pub server: Server,
}

impl Fixture {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let demo = Demo::start(DemoOptions::default()).await.unwrap();
        let config = format!(
            r#"{{ "mcpServers": {{ "demo": {{ "type": "http", "url": "{0}" }}, "other": {{ "type": "http", "url": "{0}" }} }} }}"#,
            demo.url()
        );
        std::fs::write(folder.path().join("mcp.json"), config).unwrap();
        Self { folder, demo }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn options(&self) -> EngineOptions {
        let options = EngineOptions::new(
            self.path("mcp.json"),
            self.path("state"),
            self.path("run"),
            StoreKind::File(self.path("secrets")),
        );
        EngineOptions { only: Some(vec![id()]), ..options }
    }

    pub async fn hold(&self) -> Held {
        self.hold_as(Holder::Command).await
    }

    pub async fn hold_as(&self, holder: Holder) -> Held {
        let engine = Engine::start(self.options()).await.unwrap();
        let server = Server::start(engine.clone(), holder).unwrap();
        Held { engine, server }
    }

    /// Starts a holder that is signed in to the demo.
    pub async fn hold_signed_in(&self) -> Held {
        let held = self.hold().await;
        let request = held.engine.sign_in(&id(), SignInOptions::default()).await.unwrap();
        held.engine.complete_sign_in(&approve(&request).await).await.unwrap();
        held
    }

    pub fn join_options(&self) -> JoinOptions {
        let paths = Paths {
            config: self.path("mcp.json"),
            state_dir: self.path("state"),
            secret_store: Some(format!("file:{}", self.path("secrets").display())),
        };
        JoinOptions { paths: Some(paths), servers: Servers::Named(vec![id()]), events: true }
    }

    pub async fn connect(&self) -> Result<Client, ConnectError> {
        Client::connect(&self.path("run"), self.join_options()).await
    }
}

pub fn id() -> ServerId {
    ServerId("demo".to_owned())
}

pub fn call(tool: &str, arguments: &str, name: &str) -> Request {
    Request::CallTool {
        server: id(),
        tool: tool.to_owned(),
        arguments: serde_json::from_str(arguments).unwrap(),
        call: name.to_owned(),
        program: CallingProgram::CommandLine,
        idle_timeout_seconds: 20,
        permission_seconds: 0,
        asks_holder: false,
    }
}

pub fn sign_in() -> Request {
    Request::SignIn {
        server: id(),
        redirect: None,
        receives_links: Some(true),
        extra_scopes: Vec::new(),
        confirmed_hosts: Vec::new(),
        on_device: false,
    }
}

pub async fn begin_sign_in(client: &Client) -> AuthorizationRequestView {
    match client.ask(sign_in()).await.unwrap() {
        Reply::Authorization(Some(request)) => request,
        other => panic!("{other:?}"),
    }
}

/// Signs in through a client. Returns when the server is connected.
pub async fn sign_in_through(client: &Client) {
    let request = begin_sign_in(client).await;
    let address = approve(&request).await;
    assert_eq!(client.ask(Request::CompleteSignIn { address }).await.unwrap(), Reply::Server(id()));
}

/// Waits until the client's view of the server satisfies a condition.
pub async fn wait_for_server(client: &Client, condition: impl Fn(&ServerView) -> bool) -> ServerView {
    let mut updates = client.subscribe();
    let wait = async {
        loop {
            if let Some(view) = client.server(&id()).filter(|view| condition(view)) {
                return view;
            }
            updates.recv().await.unwrap();
        }
    };
    tokio::time::timeout(DEADLINE, wait).await.unwrap()
}

pub fn is_connected(view: &ServerView) -> bool {
    matches!(view.status, Status::Connected { .. })
}

pub fn needs_sign_in(view: &ServerView) -> bool {
    matches!(view.status, Status::NeedsSignIn { .. })
}

/// Waits for a condition that no event announces.
pub async fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let wait = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    assert!(tokio::time::timeout(DEADLINE, wait).await.is_ok(), "timed out waiting until {what}");
}

/// Approves the request in the browser and returns the callback.
pub async fn approve(request: &AuthorizationRequestView) -> String {
    let http = http_client().build().unwrap();
    let page = http.get(&request.authorization_url).send().await.unwrap().text().await.unwrap();
    let ticket = page.split_once(r#"name="ticket" value=""#).unwrap().1.split_once('"').unwrap().0;
    let mut address = url::Url::parse(&request.authorization_url).unwrap();
    address.set_query(None);
    let form = [("ticket", ticket), ("decision", "allow")];
    let answer = http.post(address).form(&form).send().await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}
