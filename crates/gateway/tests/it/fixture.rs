//! An engine with a gateway in temporary folders, and a client that reads and writes lines.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{
    AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines, ReadHalf, WriteHalf, duplex, split,
};
use tokio_util::sync::CancellationToken;
use usher_api::{BridgeHello, BridgeTarget, ServerId, ServerView, Status};
use usher_engine::{Engine, EngineOptions};
use usher_gateway::Gateway;
use usher_secrets::StoreKind;

/// The deadline of every wait, long enough for a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// The folders of an engine.
pub struct Sandbox(TempDir);

impl Sandbox {
    /// Writes an `mcp.json` with these servers, and members beside them as JSON text.
    pub fn new(servers: &[(&str, &str)], others: &str) -> Self {
        let sandbox = Self(tempfile::tempdir().unwrap());
        let entry = |(name, url): &(&str, &str)| format!(r#""{name}": {{ "type": "http", "url": "{url}" }}"#);
        let entries: Vec<_> = servers.iter().map(entry).collect();
        let text = format!(r#"{{ "mcpServers": {{ {} }}{others} }}"#, entries.join(", "));
        std::fs::write(sandbox.path("mcp.json"), text).unwrap();
        sandbox
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Starts an engine that runs no server yet, like `usher serve`.
    pub async fn start(&self) -> Engine {
        let (state, runtime) = (self.path("state"), self.path("runtime"));
        let store = StoreKind::File(self.path("secrets"));
        let options = EngineOptions::new(self.path("mcp.json"), state, runtime, store);
        Engine::start(EngineOptions { only: Some(Vec::new()), ..options }).await.unwrap()
    }
}

/// A client of the gateway. It is disconnected when this is dropped.
pub struct Client {
    lines: Lines<BufReader<ReadHalf<DuplexStream>>>,
    writer: WriteHalf<DuplexStream>,
    requests: u64,
}

impl Client {
    /// Connects to a target: the name of a server or group, or `--all`.
    pub async fn connect(gateway: &Gateway, engine: &Engine, target: &str) -> Self {
        let target = match target {
            "--all" => BridgeTarget::All,
            name => BridgeTarget::Named(name.to_owned()),
        };
        let hello = BridgeHello { version: "1".into(), target, label: Some("Editor".into()), folder: None };
        let admitted = gateway.admit(&hello, engine.for_another()).await.unwrap();
        let (ours, theirs) = duplex(64 * 1024);
        tokio::spawn(async move {
            let (reader, writer) = split(theirs);
            admitted.serve(BufReader::new(reader), writer, &CancellationToken::new()).await;
        });
        let (reader, writer) = split(ours);
        Self { lines: BufReader::new(reader).lines(), writer, requests: 0 }
    }

    /// Sends a request, and returns its id.
    pub async fn begin(&mut self, method: &str, params: Value) -> u64 {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string())
            .await;
        id
    }

    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()).await;
    }

    pub async fn send(&mut self, line: &str) {
        self.writer.write_all(format!("{line}\n").as_bytes()).await.unwrap();
    }

    /// Returns the next line.
    pub async fn line(&mut self) -> String {
        let line = tokio::time::timeout(TIMEOUT, self.lines.next_line()).await;
        line.expect("a line in time").unwrap().expect("an open connection")
    }

    pub async fn message(&mut self) -> Value {
        serde_json::from_str(&self.line().await).unwrap()
    }

    /// Sends a request, and returns its response, which must be the next message.
    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params).await;
        let response = self.message().await;
        assert_eq!(response["id"], id, "{response}");
        response
    }

    /// Performs the handshake.
    pub async fn initialize(&mut self) -> Value {
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "t", "version": "1" } });
        let response = self.ask("initialize", params).await;
        self.notify("notifications/initialized", json!({})).await;
        response["result"].clone()
    }

    /// Returns the names of the tools.
    pub async fn tools(&mut self) -> Vec<String> {
        let response = self.ask("tools/list", json!({})).await;
        let tools = response["result"]["tools"].as_array().expect("a list").iter();
        tools.map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    pub async fn call(&mut self, tool: &str) -> Value {
        self.ask("tools/call", json!({ "name": tool, "arguments": {} })).await
    }
}

/// The metadata of a request without a handshake.
pub fn modern(mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

pub fn id(name: &str) -> ServerId {
    ServerId(name.to_owned())
}

/// Waits until a server's view satisfies a condition.
pub async fn until(engine: &Engine, name: &str, condition: impl Fn(&ServerView) -> bool) {
    let mut events = engine.subscribe();
    let wait = async {
        while !engine.server(&id(name)).is_some_and(|view| condition(&view)) {
            events.recv().await.unwrap();
        }
    };
    tokio::time::timeout(TIMEOUT, wait).await.unwrap_or_else(|_| panic!("{:#?}", engine.server(&id(name))));
}

pub fn is_connected(view: &ServerView) -> bool {
    matches!(view.status, Status::Connected { .. })
}
