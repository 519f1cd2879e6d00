//! A process that may be killed at any moment, from any thread.

use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use tokio::process::Child;

use crate::Output;

/// A running child with its output gathered; killed when it is dropped.
#[derive(Debug)]
pub struct Mortal {
    child: Child,
    blow: Blow,
}

/// The means to kill one process, and no other that later has its number.
#[derive(Clone, Debug)]
pub struct Blow {
    process: Arc<OwnedFd>,
    fate: Arc<OnceLock<Fate>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Dealt,
    Withheld,
}

impl Mortal {
    /// Starts `command` without input.
    pub fn start(command: Command) -> Result<Mortal> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut command = tokio::process::Command::from(command);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let child = command.spawn().with_context(|| format!("cannot start {name}"))?;
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed())).context("it has no number")?;
        Ok(Mortal { child, blow: Blow::at(id)? })
    }

    /// Its number, while it has not ended.
    pub fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// For whoever is to kill it.
    pub fn blow(&self) -> Blow {
        self.blow.clone()
    }

    /// Waits for its end. Without an exit code a signal ended it.
    pub async fn finish(self, patience: Duration) -> Result<Output> {
        let output = tokio::time::timeout(patience, self.child.wait_with_output());
        let output =
            output.await.with_context(|| format!("it did not end in {} s", patience.as_secs()))??;
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }
}

impl Blow {
    /// Aimed at a process that runs now.
    pub fn at(process: Pid) -> Result<Blow> {
        let process = Arc::new(pidfd_open(process, PidfdFlags::empty())?);
        Ok(Blow { process, fate: Arc::default() })
    }

    /// SIGKILL: nothing in the process gets another instruction of its own. Not once it is withheld.
    pub fn deal(&self) {
        if *self.fate.get_or_init(|| Fate::Dealt) == Fate::Dealt {
            // It may have ended by itself a moment ago.
            pidfd_send_signal(&self.process, Signal::KILL).ok();
        }
    }

    /// From now on it is not dealt any more. Says whether it was, if only to one already gone.
    pub fn withhold(&self) -> bool {
        *self.fate.get_or_init(|| Fate::Withheld) == Fate::Dealt
    }

    /// Whether it was dealt until now.
    pub fn was_dealt(&self) -> bool {
        self.fate.get() == Some(&Fate::Dealt)
    }
}
