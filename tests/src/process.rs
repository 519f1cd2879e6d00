//! A child process that leads its own process group and ends with its owner.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::requirements;

/// How long a process may take to end when it is asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(3);

/// A running child and everything it started in its group.
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

    /// The process id, which is also the group's.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// How it ended; `None` while it runs.
    pub fn exit_status(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().with_context(|| format!("cannot ask after {}", self.name))
    }

    /// Fails with the exit status when the process is gone.
    pub fn expect_running(&mut self) -> Result<()> {
        match self.exit_status()? {
            Some(status) => anyhow::bail!("{} ended early: {status}", self.name),
            None => Ok(()),
        }
    }

    /// Asks the whole group to end, then kills what is left of it.
    pub fn end(&mut self) {
        let Some(group) = Pid::from_raw(self.child.id().cast_signed()) else { return };
        // Neither signal can fail in a way that matters: the group may be gone already.
        kill_process_group(group, Signal::TERM).ok();
        let deadline = Instant::now() + GRACE;
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
        self.end();
    }
}
