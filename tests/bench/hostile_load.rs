//! Measures the memory and time that hostile servers cost the command `usher`, and prints JSON for `cargo xtask bench`.
//!
//! For each server, one command holds the engine while it waits for a quiet server. A second command uses the hostile
//! server, so that the holder runs it too. Meanwhile, further commands call a good server. The hostile server is a process
//! with the lowest priority, because a real one runs on another machine and takes no time from the calls.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};
use usher_fake_service::{FakeService, Options};
use usher_tests::wait::until_ready;
use usher_tests::{Cli, Desktop, DesktopOptions, PipedProcess};

use crate::hostile_servers::{self, HostileServer, SERVERS};

/// Calls of the good server before the hostile server is used.
const CALLS_ALONE: usize = 10;

#[derive(clap::Args)]
pub struct Arguments {
    /// Seconds for each hostile server
    #[arg(long, default_value_t = 10)]
    seconds: u64,
    /// Only the servers whose name contains this text
    #[arg(long)]
    only: Option<String>,
    /// Runs the server of this name until the end of the input. Prints its address, and the number of its hostile
    /// responses at the end
    #[arg(long, hide = true)]
    serve: Option<String>,
}

pub async fn run(arguments: Arguments) -> Result<()> {
    if let Some(name) = arguments.serve {
        return serve(&name).await;
    }
    let mut measured = Vec::new();
    for server in &SERVERS {
        if arguments.only.as_ref().is_none_or(|text| server.name.contains(text)) {
            let figures = measure(server, Duration::from_secs(arguments.seconds));
            let figures = figures.await.with_context(|| server.name)?;
            eprintln!("{figures}");
            measured.push(figures);
        }
    }
    println!("{}", Value::Array(measured));
    Ok(())
}

async fn serve(name: &str) -> Result<()> {
    let server = SERVERS.iter().find(|server| server.name == name).context("no such server")?;
    let service = FakeService::start(hostile_servers::options()).await?;
    (server.change)(&service);
    println!("{}", service.url());
    tokio::io::copy(&mut tokio::io::stdin(), &mut tokio::io::sink()).await?;
    println!("{}", server.attacks(&service));
    Ok(())
}

async fn measure(server: &HostileServer, duration: Duration) -> Result<Value> {
    let quiet = FakeService::start(Options::open_handshake()).await?;
    let good = FakeService::start(Options::open_handshake()).await?;
    let mut command = std::process::Command::new("nice");
    command.args(["-n", "19"]).arg(std::env::current_exe()?).args(["hostile-load", "--serve", server.name]);
    let mut hostile = PipedProcess::start(command)?;
    let hostile_url = hostile.line().await?;
    let desktop = Desktop::start_with(DesktopOptions::HEADLESS).await?;
    let (quiet_url, good_url) = (quiet.url(), good.url());
    desktop.configure([
        ("quiet", quiet_url.as_str()),
        ("good", good_url.as_str()),
        ("hostile", hostile_url.as_str()),
    ])?;
    let cli = Cli::new(desktop).env("USHER_SECRET_STORE", "memory");

    let holder = cli.start(&["call", "quiet", "wait", "--timeout", "3600"])?;
    until_ready("the holder to wait", || Ok((quiet.rpc_count("tools/call") > 0).then_some(()))).await?;
    let mut alone = Vec::new();
    for _ in 0..CALLS_ALONE {
        alone.push(
            call(&cli)
                .await?
                .map_err(|error| anyhow!("a call without the hostile server failed: {error}"))?,
        );
    }
    let at_rest = memory(&holder, "VmRSS")?;
    let before = memory(&holder, "VmHWM")?;

    let _user = cli.start(server.command)?;
    let (begun, mut beside, mut failed) = (Instant::now(), Vec::new(), 0);
    while begun.elapsed() < duration {
        match call(&cli).await? {
            Ok(milliseconds) => beside.push(milliseconds),
            Err(error) => {
                eprintln!("a call of the good server failed: {error}");
                failed += 1;
            }
        }
    }
    let peak = memory(&holder, "VmHWM")?;
    let attacks: usize = hostile.finish().await?.stdout.trim().parse().context("a number of responses")?;
    ensure!(attacks > 0, "the hostile server got no request for its hostile response");
    // An earlier peak is not the hostile server's cost.
    let grown = if peak > before { peak.saturating_sub(at_rest) } else { 0 };
    Ok(json!({
        "server": server.name,
        "megabytes": grown as f64 / 1024.0,
        "alone": slowest(&alone),
        "beside": slowest(&beside),
        "calls": beside.len(),
        "failed": failed,
    }))
}

/// Calls the good server with a command of its own, which uses the engine of the holder. Returns milliseconds, or the
/// error of the call.
async fn call(cli: &Cli<Desktop>) -> Result<Result<f64, String>> {
    let begun = Instant::now();
    let output = cli.run(&["call", "good", "read"]).await?;
    let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
    Ok(if output.code == Some(0) { Ok(milliseconds) } else { Err(output.stderr.trim_end().to_owned()) })
}

/// A field of the status of a process, in KiB.
fn memory(process: &PipedProcess, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    let value = line.context("the holder has ended")?.trim().trim_end_matches(" kB");
    Ok(value.parse()?)
}

fn slowest(milliseconds: &[f64]) -> f64 {
    milliseconds.iter().copied().fold(0.0, f64::max)
}
