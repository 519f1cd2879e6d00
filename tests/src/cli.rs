//! The command `usher`.

use std::borrow::Borrow;

use anyhow::Result;

use crate::consent::Decision;
use crate::{Desktop, Output, PipedProcess, paths};

/// Runs `usher` commands on an owned or borrowed desktop, all with the same environment variables.
#[derive(Debug)]
pub struct Cli<D> {
    /// The desktop, for its folders and its keychain.
    pub desktop: D,
    environment: Vec<(String, String)>,
}

impl<D: Borrow<Desktop>> Cli<D> {
    /// Creates a runner whose commands use the desktop's keychain.
    pub fn new(desktop: D) -> Cli<D> {
        Cli { desktop, environment: Vec::new() }
    }

    /// Creates a runner whose commands use a private file, [`Desktop::secret_file`], as their secret store.
    pub fn with_secret_file(desktop: D) -> Cli<D> {
        let store = format!("file:{}", desktop.borrow().secret_file().display());
        Cli::new(desktop).env("USHER_SECRET_STORE", store)
    }

    /// Adds an environment variable, such as `USHER_SECRET_STORE`.
    pub fn env(mut self, name: &str, value: impl Into<String>) -> Cli<D> {
        self.environment.push((name.to_owned(), value.into()));
        self
    }

    /// Runs a command to completion, without input.
    pub async fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.start(arguments)?.finish().await
    }

    /// Runs a command that must succeed, and returns its stdout.
    pub async fn succeed(&self, arguments: &[&str]) -> Result<String> {
        let output = self.run(arguments).await?;
        anyhow::ensure!(output.code == Some(0), "usher {}: {output:?}", arguments.join(" "));
        Ok(output.stdout)
    }

    /// Runs `usher login` without a browser, and allows or denies its request.
    pub async fn login(&self, name: &str, decision: Decision) -> Result<Output> {
        let mut login = self.start(&["login", name, "--no-browser"])?;
        login.answer(decision).await?;
        login.finish().await
    }

    /// Signs in without a browser.
    pub async fn sign_in(&self, name: &str) -> Result<()> {
        let output = self.login(name, Decision::Allow).await?;
        anyhow::ensure!(output.code == Some(0), "the sign-in to {name} failed: {output:?}");
        Ok(())
    }

    /// Runs a command in a terminal, in which a person types this input. The output contains stdout and stderr.
    pub async fn in_terminal(&self, arguments: &[&str], input: &str) -> Result<Output> {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
        let usher = paths::usher()?.display().to_string();
        let line: Vec<_> =
            std::iter::once(usher.as_str()).chain(arguments.iter().copied()).map(quoted).collect();
        let mut command = self.desktop.borrow().command("script");
        command.args(["--quiet", "--return", "--command", &line.join(" "), "/dev/null"]);
        command.envs(self.environment.iter().cloned());
        let mut process = PipedProcess::start(command)?;
        if !input.is_empty() {
            process.write_line(input).await?;
        }
        process.finish().await
    }

    /// Starts a command without waiting for it.
    pub fn start(&self, arguments: &[&str]) -> Result<PipedProcess> {
        let mut command = self.desktop.borrow().command(paths::usher()?);
        command.args(arguments).envs(self.environment.iter().cloned());
        PipedProcess::start(command)
    }
}
