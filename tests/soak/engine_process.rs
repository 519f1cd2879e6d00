//! The engine of a soak, in a process of its own so that its memory and CPU time can be measured alone.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use usher_api::Status;
use usher_engine::{Engine, EngineOptions};
use usher_secrets::StoreKind;
use usher_tests::wait::until_ready;

const PATIENCE: Duration = Duration::from_secs(60);
/// The unit of times in `/proc`, the same on every supported system.
const TICKS_PER_SECOND: f64 = 100.0;

pub fn options(folder: &Path) -> EngineOptions {
    let store = StoreKind::File(folder.join("secrets"));
    EngineOptions::new(folder.join("mcp.json"), folder.join("state"), folder.join("run"), store)
}

/// Runs an engine until stdin ends. Prints `connected` when every server is connected.
pub async fn run_engine(folder: &Path) -> Result<()> {
    let engine = Engine::start(options(folder)).await?;
    until_ready("every connection", PATIENCE, || {
        let servers = engine.snapshot().servers;
        let connected = |status: &Status| matches!(status, Status::Connected { .. });
        Ok(servers.iter().all(|view| connected(&view.status)).then_some(()))
    })
    .await?;
    println!("connected");
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    engine.stop().await;
    Ok(())
}

pub struct EngineProcess {
    child: Child,
    pid: u32,
}

impl EngineProcess {
    pub async fn start(folder: &Path) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("--engine-in")
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("start the engine")?;
        let pid = child.id().context("the engine exited at once")?;
        let output = child.stdout.take().context("the engine has no stdout")?;
        let mut lines = BufReader::new(output).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .context("the engine does not connect")??;
        ensure!(line.as_deref() == Some("connected"), "the engine printed {line:?}");
        Ok(Self { child, pid })
    }

    /// The proportional set size, in bytes.
    pub fn memory(&self) -> Result<f64> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.pid))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024.0)
    }

    /// User and system time of all its threads.
    pub fn cpu_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.pid))?;
        // The process name in parentheses can contain anything; the state follows it.
        let fields: Vec<&str> = stat.rsplit_once(')').context("no name")?.1.split_whitespace().collect();
        let ticks =
            |field: usize| fields.get(field).context("too short")?.parse::<f64>().context("no number");
        Ok(Duration::from_secs_f64((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND))
    }

    pub async fn end(mut self) -> Result<()> {
        drop(self.child.stdin.take());
        let status =
            tokio::time::timeout(PATIENCE, self.child.wait()).await.context("the engine does not exit")??;
        ensure!(status.success(), "the engine exited with {status}");
        Ok(())
    }
}
