//! The command `usher` as a subprocess.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait::{TIMEOUT, until_ready};
use crate::{Desktop, Process, paths};

/// Runs `usher` on one desktop, with shared environment variables.
#[derive(Debug)]
pub struct Cli<'a> {
    desktop: &'a Desktop,
    environment: Vec<(String, String)>,
}

/// The exit code and output of a finished command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A running `usher` command, read and written line by line.
#[derive(Debug)]
pub struct CliProcess {
    process: Process,
    lines: std::sync::mpsc::Receiver<String>,
    /// Whether the command got SIGINT. Its stdin then stays open: end of input would be a second reason to exit.
    interrupted: bool,
}

impl<'a> Cli<'a> {
    /// Commands that use the keychain of the desktop.
    pub fn new(desktop: &'a Desktop) -> Cli<'a> {
        Cli { desktop, environment: Vec::new() }
    }

    /// Adds an environment variable, such as `USHER_SECRET_STORE`.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Cli<'a> {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs a command to completion, without input.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = self.command(arguments)?;
        let output =
            tokio::task::spawn_blocking(move || command.output()).await?.context("cannot run usher")?;
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Starts a command without waiting for it.
    pub fn start(&self, arguments: &[&str]) -> Result<CliProcess> {
        let mut command = self.command(arguments)?;
        let mut process =
            Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let stdout = process.child().stdout.take().context("usher has no stdout")?;
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Ok(CliProcess { process, lines, interrupted: false })
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = self.desktop.command(paths::usher()?);
        command.args(arguments);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        Ok(command)
    }
}

impl CliProcess {
    /// Waits for the next line of stdout.
    pub async fn line(&mut self) -> Result<String> {
        until_ready("a line of output", TIMEOUT, || match self.lines.try_recv() {
            Ok(line) => Ok(Some(line)),
            Err(std::sync::mpsc::TryRecvError::Empty) => Ok(None),
            Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                anyhow::bail!("usher closed its stdout; its stderr:\n{}", self.stderr())
            }
        })
        .await
    }

    /// Writes one line to stdin.
    pub fn write_line(&mut self, text: &str) -> Result<()> {
        let stdin = self.process.child().stdin.as_mut().context("the stdin of usher is closed")?;
        writeln!(stdin, "{text}").context("cannot write to usher")
    }

    /// Sends SIGINT, as Ctrl-C does. Further output can still be read.
    pub fn interrupt(&mut self) -> Result<()> {
        let id = Pid::from_raw(self.process.id().cast_signed()).context("usher has no process id")?;
        self.interrupted = true;
        kill_process(id, Signal::INT).context("usher has already exited")
    }

    /// Kills the command, without a chance to clean up.
    pub fn kill(mut self) -> Result<()> {
        self.process.child().kill().context("usher has already exited")
    }

    /// Waits for the command to exit. The output holds the lines that were not read yet.
    pub async fn finish(mut self, timeout: Duration) -> Result<Output> {
        if !self.interrupted {
            drop(self.process.child().stdin.take());
        }
        let status = until_ready("usher to exit", timeout, || self.process.exit_status()).await?;
        let stderr = self.stderr();
        let stdout = self.lines.iter().map(|line| line + "\n").collect();
        Ok(Output { code: status.code(), stdout, stderr })
    }

    fn stderr(&mut self) -> String {
        let mut text = String::new();
        self.process.stop();
        if let Some(mut stderr) = self.process.child().stderr.take() {
            stderr.read_to_string(&mut text).ok();
        }
        text
    }
}
