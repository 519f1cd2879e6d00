//! The engine of the soak test, in its own process, so that its memory and CPU time can be measured separately.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::io::AsyncReadExt;
use usher_engine::Engine;
use usher_tests::PipedProcess;
use usher_tests::engine::{options, until_connected};

/// The unit of times in `/proc`, the same on every supported system.
const TICKS_PER_SECOND: f64 = 100.0;

/// Runs an engine until stdin ends. Prints `connected` when every server is connected.
pub async fn run_engine(folder: &Path) -> Result<()> {
    let engine = Engine::start(options(folder)).await?;
    until_connected(&engine).await?;
    println!("connected");
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    engine.stop().await;
    Ok(())
}

pub struct EngineProcess(PipedProcess);

impl EngineProcess {
    pub async fn start(folder: &Path) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("--engine-in").arg(folder);
        let mut process = PipedProcess::start(command)?;
        let line = process.line().await?;
        ensure!(line == "connected", "the engine printed {line:?}");
        Ok(Self(process))
    }

    /// The proportional set size, in bytes.
    pub fn memory(&self) -> Result<f64> {
        let rollup = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", self.0.id()))?;
        let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:")).context("no Pss")?;
        let kibibytes: f64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kibibytes * 1024.0)
    }

    /// The user and system time of all threads of the engine.
    pub fn cpu_time(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The process name in parentheses can contain anything; the state follows it.
        let fields: Vec<&str> = stat.rsplit_once(')').context("no name")?.1.split_whitespace().collect();
        let ticks =
            |field: usize| fields.get(field).context("too short")?.parse::<f64>().context("no number");
        Ok(Duration::from_secs_f64((ticks(11)? + ticks(12)?) / TICKS_PER_SECOND))
    }

    pub async fn end(self) -> Result<()> {
        let output = self.0.finish().await?;
        ensure!(output.code == Some(0), "the engine failed: {output:?}");
        Ok(())
    }
}
