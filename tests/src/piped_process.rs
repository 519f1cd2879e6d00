//! A child process with pipes. A test reads and writes its lines, and can kill it at any moment.

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::KillSwitch;
use crate::consent::{self, Decision};
use crate::wait::TIMEOUT;

/// Longer than any command takes, even on a busy machine.
const EXIT_TIMEOUT: Duration = Duration::from_secs(90);

/// A running child process. Dropping it kills the process, without a chance to clean up.
#[derive(Debug)]
pub struct PipedProcess {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    kill_switch: KillSwitch,
    /// Whether the process got SIGINT. Its stdin then stays open: end of input would be a second reason to exit.
    interrupted: bool,
}

/// The exit code and output of a finished process. There is no code if a signal ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl PipedProcess {
    /// Starts `command` with pipes for its input and output.
    pub fn start(command: std::process::Command) -> Result<PipedProcess> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut command = Command::from(command);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let stdout = BufReader::new(child.stdout.take().context("the process has no stdout")?).lines();
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("no process ID")?;
        Ok(PipedProcess { child, stdout, kill_switch: KillSwitch::new(id)?, interrupted: false })
    }

    /// The process ID; 0 after the process has exited.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// The switch that kills this process.
    pub fn kill_switch(&self) -> KillSwitch {
        self.kill_switch.clone()
    }

    /// Waits for the next line of stdout. If stdout is closed, kills the process and fails with its stderr.
    pub async fn line(&mut self) -> Result<String> {
        let line = tokio::time::timeout(TIMEOUT, self.stdout.next_line()).await;
        if let Some(line) = line.context("timed out waiting for a line of output")?? {
            return Ok(line);
        }
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            self.kill_switch.fire();
            stderr.read_to_string(&mut text).await?;
        }
        anyhow::bail!("the process closed its stdout; its stderr:\n{text}")
    }

    /// Writes one line to stdin.
    pub async fn write_line(&mut self, text: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("stdin is closed")?;
        stdin.write_all(format!("{text}\n").as_bytes()).await.context("cannot write to the process")
    }

    /// The authorization URL that `usher login --no-browser` prints.
    pub async fn authorization_url(&mut self) -> Result<String> {
        let line = self.line().await?;
        let parsed: Value =
            serde_json::from_str(&line).with_context(|| format!("usher login printed {line}"))?;
        Ok(parsed["authorization_url"]
            .as_str()
            .context("usher login printed no authorization URL")?
            .to_owned())
    }

    /// Allows or denies the request of `usher login --no-browser`. Writes the callback to stdin, and returns it.
    pub async fn answer(&mut self, decision: Decision) -> Result<String> {
        let callback = consent::answer(&self.authorization_url().await?, decision).await?;
        self.write_line(&callback).await?;
        Ok(callback)
    }

    /// Sends SIGINT, as Ctrl-C does. Further output can still be read.
    pub fn interrupt(&mut self) {
        self.interrupted = true;
        self.kill_switch.signal(Signal::INT);
    }

    /// Waits for the process to exit. The output contains the lines that were not read yet.
    pub async fn finish(mut self) -> Result<Output> {
        // Waiting closes the child's stdin, unless it was taken.
        let _open = self.child.stdin.take_if(|_| self.interrupted);
        let (mut rest, mut stdout) = (String::new(), self.stdout.into_inner());
        let ended =
            async { tokio::try_join!(self.child.wait_with_output(), stdout.read_to_string(&mut rest)) };
        let ended = tokio::time::timeout(EXIT_TIMEOUT, ended).await;
        let (output, _) = ended.context("timed out waiting for the process to exit")??;
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok(Output { code: output.status.code(), stdout: rest, stderr })
    }
}
