//! The command `usher` as a subprocess.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use crate::wait::{PATIENCE, until_ready};
use crate::{Desktop, Process, place};

/// `usher` on one desktop, with the options that every call shares.
#[derive(Debug)]
pub struct Cli<'a> {
    desktop: &'a Desktop,
    environment: Vec<(String, String)>,
}

/// What a finished call left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// A call that goes on, line by line.
#[derive(Debug)]
pub struct Running {
    process: Process,
    lines: std::sync::mpsc::Receiver<String>,
    /// It was asked to end: an input that ends as well would be a second reason, and either may come first.
    is_asked_to_end: bool,
}

impl<'a> Cli<'a> {
    /// With the keychain of the desktop.
    pub fn new(desktop: &'a Desktop) -> Cli<'a> {
        Cli { desktop, environment: Vec::new() }
    }

    /// With a variable besides those of the desktop, such as `USHER_SECRET_STORE`.
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Cli<'a> {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs to its end, without input.
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

    /// Starts and goes on: lines are read and written one by one.
    pub fn start(&self, arguments: &[&str]) -> Result<Running> {
        let mut command = self.command(arguments)?;
        let mut process =
            Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let stdout = process.child().stdout.take().context("usher has no output")?;
        let (sender, lines) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            BufReader::new(stdout).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Ok(Running { process, lines, is_asked_to_end: false })
    }

    fn command(&self, arguments: &[&str]) -> Result<Command> {
        let mut command = self.desktop.command(place::usher()?);
        command.args(arguments);
        for (name, value) in &self.environment {
            command.env(name, value);
        }
        Ok(command)
    }
}

impl Running {
    /// The next line of its output.
    pub async fn line(&mut self) -> Result<String> {
        until_ready("a line of output", PATIENCE, || match self.lines.try_recv() {
            Ok(line) => Ok(Some(line)),
            Err(std::sync::mpsc::TryRecvError::Empty) => Ok(None),
            Err(std::sync::mpsc::TryRecvError::Disconnected) => {
                anyhow::bail!("usher said no more; on its error output:\n{}", self.complaints())
            }
        })
        .await
    }

    /// Writes one line to its input.
    pub fn write_line(&mut self, text: &str) -> Result<()> {
        let stdin = self.process.child().stdin.as_mut().context("usher takes no input")?;
        writeln!(stdin, "{text}").context("usher took no input")
    }

    /// Asks it to end, as Ctrl-C does; its last lines can still be read.
    pub fn ask_to_end(&mut self) -> Result<()> {
        let id = Pid::from_raw(self.process.id().cast_signed()).context("usher has no number")?;
        self.is_asked_to_end = true;
        kill_process(id, Signal::INT).context("usher is gone")
    }

    /// Ends it as a crash does: it can put nothing in order.
    pub fn kill(mut self) -> Result<()> {
        self.process.child().kill().context("usher is gone")
    }

    /// Waits for its end; the lines not yet read are its output.
    pub async fn finish(mut self, patience: Duration) -> Result<Output> {
        if !self.is_asked_to_end {
            drop(self.process.child().stdin.take());
        }
        let status = until_ready("usher to end", patience, || self.process.exit_status()).await?;
        let stderr = self.complaints();
        let stdout = self.lines.iter().map(|line| line + "\n").collect();
        Ok(Output { code: status.code(), stdout, stderr })
    }

    fn complaints(&mut self) -> String {
        let mut text = String::new();
        self.process.end();
        if let Some(mut stderr) = self.process.child().stderr.take() {
            stderr.read_to_string(&mut text).ok();
        }
        text
    }
}
