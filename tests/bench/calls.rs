//! Tool calls, one after the other, and the milliseconds that each takes.

use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Map, json};
use usher_api::{CallingProgram, Reply, Request, ServerId, ToolCallView};
use usher_engine::{CallOptions, Engine};
use usher_ipc::{Client, JoinOptions};
use usher_tests::bare_client::{BareHttpClient, BareProgramClient};

use crate::milliseconds;

const TOOL: &str = "read";

/// A client that does without Usher.
pub enum BareClient {
    Program(Box<BareProgramClient>),
    Http(BareHttpClient),
}

pub fn id() -> ServerId {
    ServerId("server".to_owned())
}

pub async fn make_directly(client: &mut BareClient, count: usize) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(count);
    for _ in 0..count {
        let params = json!({ "name": TOOL, "arguments": {} });
        let begun = Instant::now();
        let result = match client {
            BareClient::Program(client) => client.request("tools/call", params).await?,
            BareClient::Http(client) => client.request("tools/call", params).await?,
        };
        times.push(milliseconds(begun));
        ensure!(result["content"][0]["text"] == "done", "unexpected result: {result}");
    }
    Ok(times)
}

pub async fn make_through_engine(engine: &Engine, count: usize) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(count);
    for number in 0..count {
        let options = CallOptions::new(format!("call-{number}"));
        let begun = Instant::now();
        let result = engine.call_tool(&id(), TOOL, Map::new(), options).await?;
        times.push(milliseconds(begun));
        check(&result)?;
    }
    Ok(times)
}

/// For each number on stdin, makes that many calls through the socket, and prints their milliseconds as JSON.
pub async fn make_through_socket(runtime_dir: &Path) -> Result<()> {
    let client = Client::connect(runtime_dir, JoinOptions::default()).await?;
    loop {
        let line = tokio::task::spawn_blocking(|| std::io::stdin().lock().lines().next());
        let Some(count) = line.await?.transpose()? else { return Ok(()) };
        let count = count.parse().context("a number of calls")?;
        let mut times: Vec<f64> = Vec::with_capacity(count);
        for number in 0..count {
            let request = request(number);
            let begun = Instant::now();
            let reply = client.ask(request).await?;
            times.push(milliseconds(begun));
            let Reply::ToolCall(result) = reply else { bail!("unexpected reply: {reply:?}") };
            check(&result)?;
        }
        println!("{}", json!(times));
    }
}

fn request(number: usize) -> Request {
    Request::CallTool {
        server: id(),
        tool: TOOL.to_owned(),
        arguments: Map::new(),
        call: format!("call-{number}"),
        program: CallingProgram::CommandLine,
        idle_timeout_seconds: 60,
        permission_seconds: 0,
        asks_holder: false,
    }
}

fn check(result: &ToolCallView) -> Result<()> {
    ensure!(!result.is_error && !result.content.is_empty(), "unexpected result: {result:?}");
    Ok(())
}
