//! A child process with its own process group, stopped when it is dropped.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::requirements;

/// The time between SIGTERM and SIGKILL.
const GRACE_PERIOD: Duration = Duration::from_secs(3);

/// A running child and all processes in its group.
#[derive(Debug)]
pub struct Process {
    child: Child,
    name: String,
}

impl Process {
    /// Starts `command` as the leader of a new process group.
    pub fn start(command: &mut Command) -> Result<Process> {
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.process_group(0).spawn();
        let child = child.with_context(|| format!("cannot start {}", requirements::with_package(&name)))?;
        Ok(Process { child, name })
    }

    /// Starts `command` without input and without output.
    pub fn start_silent(command: &mut Command) -> Result<Process> {
        Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()))
    }

    /// Starts a server that prints a line when it is ready, and returns the line.
    pub fn start_server(command: &mut Command) -> Result<(Process, String)> {
        let command = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut server = Process::start(command)?;
        let mut line = String::new();
        if let Some(stdout) = server.child.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        anyhow::ensure!(!line.trim().is_empty(), "{} did not start", server.name);
        Ok((server, line.trim().to_owned()))
    }

    /// The process id, which is also the id of the group.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// The exit status, or `None` while the process is running.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot get the status of {}", self.name))
    }

    /// Fails with the exit status if the process has exited.
    pub fn expect_running(&mut self) -> Result<()> {
        match self.exit_status()? {
            Some(status) => anyhow::bail!("{} exited early: {status}", self.name),
            None => Ok(()),
        }
    }

    /// Terminates the whole group, then kills the processes that remain.
    pub fn stop(&mut self) {
        let Some(group) = Pid::from_raw(self.child.id().cast_signed()) else { return };
        // Errors are ignored, because the group may be gone already.
        kill_process_group(group, Signal::TERM).ok();
        let deadline = Instant::now() + GRACE_PERIOD;
        while Instant::now() < deadline {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
        kill_process_group(group, Signal::KILL).ok();
        self.child.wait().ok();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Returns a port that is currently free, for programs that cannot choose one themselves.
pub fn free_port() -> Result<u16> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).context("cannot find a free port")?;
    Ok(listener.local_addr()?.port())
}
