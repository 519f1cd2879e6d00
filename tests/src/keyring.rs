//! GNOME Keyring on the private session bus.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::wait::until_ready;
use crate::{Bus, Process};

const NAME: &str = "org.freedesktop.secrets";
const PATH: &str = "/org/freedesktop/secrets";
const LOGIN: &str = "['/org/freedesktop/secrets/collection/login']";

/// An unlocked `gnome-keyring-daemon`.
#[derive(Debug)]
pub struct Keyring {
    daemon: Process,
}

impl Keyring {
    /// Starts the daemon with its login collection unlocked and waits until it is on the bus.
    pub async fn start(mut command: Command, bus: &Bus) -> Result<Keyring> {
        let mut daemon = Process::start(
            command
                .args(["--foreground", "--unlock", "--components=secrets"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        // The daemon reads the password until the end of input. An empty password would leave the collection locked.
        daemon.child().stdin.take().context("gnome-keyring-daemon has no stdin")?.write_all(b"test")?;
        until_ready("the keyring to be on the bus", || Ok(bus.has_owner(NAME)?.then_some(()))).await?;
        Ok(Keyring { daemon })
    }

    /// Kills the daemon. Stored items are kept.
    pub fn kill(mut self) -> Result<()> {
        self.daemon.child().kill().context("gnome-keyring-daemon has already exited")
    }

    /// Locks the login collection, as a screen saver does. The system can ask for the password only if a test installs
    /// a [`Prompter`](crate::Prompter).
    pub fn lock(bus: &Bus) -> Result<()> {
        bus.call(NAME, PATH, "org.freedesktop.Secret.Service.Lock", &[LOGIN]).map(drop)
    }
}
