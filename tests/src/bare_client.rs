//! MCP clients that only send requests and read their responses. The benchmarks compare Usher with them.

use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use usher_fake_service::http_client;

/// The header of a session.
const SESSION: &str = "mcp-session-id";

/// A client of a program that it starts. Dropping it kills the program.
#[derive(Debug)]
pub struct BareProgramClient {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    requests: u64,
}

/// A client of an HTTP server that responds with JSON.
#[derive(Debug)]
pub struct BareHttpClient {
    http: reqwest::Client,
    url: String,
    headers: HeaderMap,
    requests: u64,
}

impl BareProgramClient {
    /// Starts the program and performs the handshake.
    pub async fn start(command: std::process::Command) -> Result<BareProgramClient> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut command = Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let stdin = child.stdin.take().context("the program has no stdin")?;
        let lines = BufReader::new(child.stdout.take().context("the program has no stdout")?).lines();
        let mut client = BareProgramClient { child, stdin, lines, requests: 0 };
        client.request("initialize", client_information()).await?;
        client.send(&initialized()).await?;
        Ok(client)
    }

    /// Sends a request and returns its result.
    pub async fn request(&mut self, method: &str, params: Value) -> Result<Value> {
        self.requests += 1;
        let id = self.requests;
        self.send(&request(id, method, params)).await?;
        loop {
            let line = self.lines.next_line().await?.context("the program closed its stdout")?;
            let message: Value = serde_json::from_str(&line).context("parse a message of the program")?;
            // Skips the program's own requests and notifications.
            if message["id"] == id && message["method"].is_null() {
                return result(message);
            }
        }
    }

    /// Kills the program and waits for its end.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("cannot stop the program")
    }

    async fn send(&mut self, message: &Value) -> Result<()> {
        let line = format!("{message}\n");
        self.stdin.write_all(line.as_bytes()).await.context("cannot write to the program")
    }
}

impl BareHttpClient {
    /// Performs the handshake.
    pub async fn connect(url: &str) -> Result<BareHttpClient> {
        let http = http_client().build()?;
        let accepted = HeaderValue::from_static("application/json, text/event-stream");
        let headers = HeaderMap::from_iter([(ACCEPT, accepted)]);
        let mut client = BareHttpClient { http, url: url.to_owned(), headers, requests: 0 };
        client.requests += 1;
        let response = client.post(&request(client.requests, "initialize", client_information())).await?;
        if let Some(session) = response.headers().get(SESSION).cloned() {
            client.headers.insert(SESSION, session);
        }
        result(response.json().await?)?;
        client.post(&initialized()).await?;
        Ok(client)
    }

    /// Sends a request and returns its result.
    pub async fn request(&mut self, method: &str, params: Value) -> Result<Value> {
        self.requests += 1;
        result(self.post(&request(self.requests, method, params)).await?.json().await?)
    }

    async fn post(&self, message: &Value) -> Result<reqwest::Response> {
        let request = self.http.post(&self.url).headers(self.headers.clone()).json(message);
        Ok(request.send().await?.error_for_status()?)
    }
}

/// A JSON-RPC request.
pub fn request(id: u64, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// The notification that ends the handshake.
pub fn initialized() -> Value {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })
}

/// The parameters of `initialize`.
pub fn client_information() -> Value {
    json!({
        "protocolVersion": "2025-06-18", "capabilities": {},
        "clientInfo": { "name": "bare", "version": "1" },
    })
}

/// Returns the result of a response that is not an error.
fn result(mut response: Value) -> Result<Value> {
    ensure!(response["error"].is_null(), "the server responded with an error: {}", response["error"]);
    Ok(response["result"].take())
}
