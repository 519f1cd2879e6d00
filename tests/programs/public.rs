//! Public servers from npm and PyPI: started by `npx` and `uvx` as in people's `mcp.json`, and over HTTP.

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use usher_api::Status;
use usher_tests::PipedProcess;
use usher_tests::wait::until_ready;

use crate::{FOLDER, Person};

/// An entry that runs an installed package.
fn npx(package: &str, arguments: &[&str]) -> Value {
    let mut all = vec!["--no-install", package];
    all.extend(arguments);
    json!({ "command": "npx", "args": all, "cwd": FOLDER })
}

fn arguments(value: Value) -> Result<Map<String, Value>> {
    value.as_object().cloned().context("not an object")
}

#[tokio::test]
async fn server_everything_is_started_by_npx() -> Result<()> {
    let person = Person::approved(&npx("mcp-server-everything", &[])).await?;
    let view = person.until_connected().await?;
    let Status::Connected { tool_count, .. } = view.status else { unreachable!("connected") };
    ensure!(tool_count >= 5, "{tool_count} tools");
    let echo = person.call("echo", arguments(json!({ "message": "hello" }))?).await?;
    ensure!(echo.contains("hello"), "{echo}");
    ensure!(!person.engine.resources(&crate::id()).await?.is_empty(), "no resources");
    ensure!(!person.engine.prompts(&crate::id()).await?.is_empty(), "no prompts");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn server_filesystem_reads_a_file_of_its_folder() -> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("note.txt"), "written by the test")?;
    let path = folder.path().canonicalize()?.display().to_string();
    let person = Person::approved(&npx("mcp-server-filesystem", &[&path])).await?;
    person.until_connected().await?;
    let file = arguments(json!({ "path": format!("{path}/note.txt") }))?;
    ensure!(person.call("read_text_file", file).await? == "written by the test");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn server_memory_gets_its_environment() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("memory.json");
    let mut entry = npx("mcp-server-memory", &[]);
    entry["env"] = json!({ "MEMORY_FILE_PATH": file });
    let person = Person::approved(&entry).await?;
    person.until_connected().await?;
    let ada = json!({ "entities": [{ "name": "Ada", "entityType": "person", "observations": ["wrote a program"] }] });
    person.call("create_entities", arguments(ada)?).await?;
    ensure!(std::fs::read_to_string(file)?.contains("wrote a program"), "nothing was stored");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_python_server_is_started_by_uvx() -> Result<()> {
    let entry = json!({
        "command": format!("{FOLDER}/.venv/bin/uvx"),
        "args": ["--offline", "--constraints", format!("{FOLDER}/mcp-server-time.txt"), "mcp-server-time"],
        "env": { "UV_CACHE_DIR": format!("{FOLDER}/.uv"), "TZ": "UTC" },
    });
    let person = Person::approved(&entry).await?;
    person.until_connected().await?;
    let time = person.call("get_current_time", arguments(json!({ "timezone": "Europe/Vienna" }))?).await?;
    ensure!(time.contains("Europe/Vienna"), "{time}");
    person.engine.stop().await;
    Ok(())
}

/// Starts server-everything on a port, and waits until it listens there.
async fn served(transport: &str) -> Result<(PipedProcess, u16)> {
    let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
    let mut command = std::process::Command::new("node");
    command.arg(format!("{FOLDER}/node_modules/@modelcontextprotocol/server-everything/dist/index.js"));
    command.arg(transport).env("PORT", port.to_string());
    let process = PipedProcess::start(command)?;
    until_ready("server-everything", || Ok(std::net::TcpStream::connect(("127.0.0.1", port)).ok())).await?;
    Ok((process, port))
}

#[tokio::test]
async fn server_everything_is_used_by_either_http_transport_whatever_its_entry_says() -> Result<()> {
    for (transport, path) in [("sse", "sse"), ("streamableHttp", "mcp")] {
        let (_process, port) = served(transport).await?;
        for kind in ["sse", "http"] {
            let entry = json!({ "type": kind, "url": format!("http://127.0.0.1:{port}/{path}") });
            let person = Person::new(&entry).await?;
            let view = person.until_connected().await.with_context(|| format!("{transport} as {kind}"))?;
            let Status::Connected { tool_count, .. } = view.status else { unreachable!("connected") };
            ensure!(tool_count >= 5, "{tool_count} tools");
            let echo = person.call("echo", arguments(json!({ "message": "hello" }))?).await?;
            ensure!(echo.contains("hello"), "{echo}");
            ensure!(!person.engine.resources(&crate::id()).await?.is_empty(), "no resources");
            person.engine.stop().await;
        }
    }
    Ok(())
}
