//! A process that can be killed at any moment, from any thread.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::process::Child;

use crate::Output;

/// A running child process with piped output. Dropping it kills the process.
#[derive(Debug)]
pub struct KillableProcess {
    child: Child,
    kill_switch: KillSwitch,
}

/// Kills one process, and never a later process with the same ID.
#[derive(Clone, Debug)]
pub struct KillSwitch {
    process: Arc<OwnedFd>,
    state: Arc<OnceLock<SwitchState>>,
}

/// The state of a kill switch, decided by its first use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SwitchState {
    Fired,
    Disarmed,
}

impl KillableProcess {
    /// Starts `command` without input.
    pub fn start(command: Command) -> Result<KillableProcess> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut command = tokio::process::Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("no process ID")?;
        Ok(KillableProcess { child, kill_switch: KillSwitch::new(id)? })
    }

    /// The process ID; 0 after the process has exited.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// The switch that kills this process.
    pub fn kill_switch(&self) -> KillSwitch {
        self.kill_switch.clone()
    }

    /// Waits for the process to exit. The output has no exit code if a signal ended the process.
    pub async fn finish(self, timeout: Duration) -> Result<Output> {
        let output = tokio::time::timeout(timeout, self.child.wait_with_output());
        let output = output
            .await
            .with_context(|| format!("the process did not exit in {} s", timeout.as_secs()))??;
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

impl KillSwitch {
    /// A switch for a running process.
    pub fn new(process: Pid) -> Result<KillSwitch> {
        let process = Arc::new(pidfd_open(process, PidfdFlags::empty())?);
        Ok(KillSwitch { process, state: Arc::default() })
    }

    /// Sends SIGKILL, which the process cannot handle. Does nothing if the switch is disarmed.
    pub fn fire(&self) {
        if *self.state.get_or_init(|| SwitchState::Fired) == SwitchState::Fired {
            // The process may have exited already.
            pidfd_send_signal(&self.process, Signal::KILL).ok();
        }
    }

    /// Disarms the switch, and returns whether it had fired before. The process may have exited before the signal.
    pub fn disarm(&self) -> bool {
        *self.state.get_or_init(|| SwitchState::Disarmed) == SwitchState::Fired
    }

    pub fn has_fired(&self) -> bool {
        self.state.get() == Some(&SwitchState::Fired)
    }
}
