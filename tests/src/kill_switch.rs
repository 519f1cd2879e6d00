//! A switch that kills a process at any moment, from any thread.

use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use anyhow::Result;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

/// Kills one process, but never a later process with the same ID.
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

impl KillSwitch {
    /// Creates a switch for a running process.
    pub fn new(process: Pid) -> Result<KillSwitch> {
        let process = Arc::new(pidfd_open(process, PidfdFlags::empty())?);
        Ok(KillSwitch { process, state: Arc::default() })
    }

    /// Sends SIGKILL, which the process cannot handle. Does nothing if the switch is disarmed.
    pub fn fire(&self) {
        if *self.state.get_or_init(|| SwitchState::Fired) == SwitchState::Fired {
            self.signal(Signal::KILL);
        }
    }

    /// Disarms the switch. Returns whether it had fired; even then, the process may have exited before the signal.
    pub fn disarm(&self) -> bool {
        *self.state.get_or_init(|| SwitchState::Disarmed) == SwitchState::Fired
    }

    pub fn has_fired(&self) -> bool {
        self.state.get() == Some(&SwitchState::Fired)
    }

    /// Sends a signal. The process may have exited already.
    pub(crate) fn signal(&self, signal: Signal) {
        pidfd_send_signal(&self.process, signal).ok();
    }
}
