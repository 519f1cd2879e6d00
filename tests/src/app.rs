//! The app as a plain child process. No WebDriver controls its window.

use std::fs::File;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::wait::until_ready;
use crate::{Desktop, Process, paths};

/// A running app.
#[derive(Debug)]
pub struct App {
    process: Process,
    log: PathBuf,
}

impl App {
    /// Starts the app on a desktop.
    pub fn start(desktop: &Desktop, arguments: &[&str]) -> Result<App> {
        App::start_with(desktop, arguments, &[])
    }

    /// Starts the app with additional environment variables.
    pub fn start_with(desktop: &Desktop, arguments: &[&str], environment: &[(&str, &str)]) -> Result<App> {
        let log = desktop.folder("cache").join("app.log");
        let output = File::options().create(true).append(true).open(&log)?;
        let mut command = desktop.command(paths::app()?);
        command.args(arguments).envs(environment.iter().copied());
        command.stdout(output.try_clone()?).stderr(Stdio::from(output));
        Ok(App { process: Process::start(&mut command)?, log })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Fails if the app is no longer running.
    pub fn expect_running(&mut self) -> Result<()> {
        self.process.expect_running()
    }

    /// Waits until the app exits. Returns its exit status and how long the wait took.
    pub async fn wait_for_exit(&mut self) -> Result<(ExitStatus, Duration)> {
        let began = Instant::now();
        let status = until_ready("the app to exit", || self.process.exit_status()).await?;
        Ok((status, began.elapsed()))
    }

    /// The app's output so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}
