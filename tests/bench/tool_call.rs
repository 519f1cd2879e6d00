//! Measures tool calls of a program and of an HTTP server: by a bare client, through an engine in the same process, and
//! through the socket of that engine from another process. Prints JSON for `cargo xtask bench`.
//!
//! The servers and the client of the socket are further processes of this program, in the roles of `Arguments`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tempfile::TempDir;
use usher_engine::Engine;
use usher_fake_service::{FakeService, Options};
use usher_ipc::{Holder, Server};
use usher_tests::bare_client::{BareHttpClient, BareProgramClient};
use usher_tests::engine::{options, until_connected};
use usher_tests::{PipedProcess, wait};

use crate::calls::{self, BareClient, id};
use crate::small_program;
use crate::this_program;

const DEADLINE: Duration = Duration::from_secs(300);

#[derive(clap::Args)]
pub struct Arguments {
    /// The number of turns of each client, alternately
    #[arg(long, default_value_t = 20)]
    turns: u32,
    /// The calls in one turn
    #[arg(long, default_value_t = 100)]
    calls: usize,
    /// Runs an MCP server on stdin and stdout
    #[arg(long, hide = true)]
    program: bool,
    /// Runs an HTTP server until the end of the input, and prints its address
    #[arg(long, hide = true)]
    service: bool,
    /// Makes as many calls as each line of the input says, through the socket of the engine in this folder
    #[arg(long, hide = true)]
    caller: Option<PathBuf>,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    if arguments.program {
        return small_program::run();
    }
    if arguments.service {
        return serve().await;
    }
    if let Some(folder) = &arguments.caller {
        return calls::make_through_socket(&folder.join("run")).await;
    }
    let measured = tokio::time::timeout(DEADLINE, measure(&arguments)).await.context("timed out")??;
    println!("{measured}");
    Ok(())
}

async fn serve() -> Result<()> {
    let service = FakeService::start(Options::open_handshake()).await?;
    println!("{}", service.url());
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    Ok(())
}

async fn measure(arguments: &Arguments) -> Result<Value> {
    let entry =
        json!({ "type": "stdio", "command": std::env::current_exe()?, "args": ["tool-call", "--program"] });
    let bare = BareClient::Program(Box::new(
        BareProgramClient::start(this_program(&["tool-call", "--program"])?).await?,
    ));
    let program = measure_clients(arguments, &entry, bare).await?;
    let mut service = PipedProcess::start(this_program(&["tool-call", "--service"])?)?;
    let url = service.line().await?;
    let entry = json!({ "type": "http", "url": url });
    let bare = BareClient::Http(BareHttpClient::connect(&url).await?);
    let http = measure_clients(arguments, &entry, bare).await?;
    Ok(json!({ "program": program, "http": http }))
}

/// Measures the three clients in turns. Returns the milliseconds of each call.
async fn measure_clients(arguments: &Arguments, entry: &Value, mut bare: BareClient) -> Result<Value> {
    let holder = Held::start(entry).await?;
    let mut caller = holder.caller()?;
    let (mut alone, mut engine, mut socket) = (Vec::new(), Vec::new(), Vec::new());
    // The first turn fills caches, so it is not counted.
    for turn in 0..=arguments.turns {
        let direct = calls::make_directly(&mut bare, arguments.calls).await?;
        let in_process = calls::make_through_engine(&holder.engine, arguments.calls).await?;
        caller.write_line(&arguments.calls.to_string()).await?;
        let from_outside: Vec<f64> = serde_json::from_str(&caller.line().await?)?;
        if turn > 0 {
            alone.extend(direct);
            engine.extend(in_process);
            socket.extend(from_outside);
        }
    }
    holder.stop().await;
    Ok(json!({ "alone": alone, "engine": engine, "socket": socket }))
}

/// An engine with one server, which other processes can use.
struct Held {
    engine: Engine,
    socket: Server,
    folder: TempDir,
}

impl Held {
    async fn start(entry: &Value) -> Result<Held> {
        let folder = tempfile::tempdir()?;
        let config = json!({ "mcpServers": { id().0: entry } });
        std::fs::write(folder.path().join("mcp.json"), config.to_string())?;
        let engine = Engine::start(options(folder.path())).await?;
        let view = wait::until_ready("the entry of the server", || Ok(engine.server(&id()))).await?;
        if let Some(program) = view.program {
            engine.approve(&id(), program.launch.digest).await?;
        }
        until_connected(&engine).await?;
        let socket = Server::start(engine.clone(), Holder::Command)?;
        Ok(Held { engine, socket, folder })
    }

    /// Starts a process that makes calls through the socket.
    fn caller(&self) -> Result<PipedProcess> {
        let mut command = this_program(&["tool-call", "--caller"])?;
        command.arg(Path::new(self.folder.path()));
        PipedProcess::start(command)
    }

    async fn stop(self) {
        drop(self.socket);
        self.engine.stop().await;
    }
}
