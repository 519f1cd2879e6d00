//! The real keychain of a Linux desktop: gnome-keyring on the private bus.

use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::wait::{PATIENCE, until_ready};
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
    /// Starts the daemon with its login collection unlocked and waits until it answers.
    pub async fn start(mut command: Command, bus: &Bus) -> Result<Keyring> {
        let mut daemon = Process::start(
            command
                .args(["--foreground", "--unlock", "--components=secrets"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        // The password ends with the input; an empty one would leave the collection locked.
        daemon.child().stdin.take().context("the keyring has no input")?.write_all(b"test")?;
        until_ready("the keyring to be on the bus", PATIENCE, || Ok(bus.has(NAME)?.then_some(()))).await?;
        Ok(Keyring { daemon })
    }

    /// Ends it as a crash does. What it stored stays.
    pub fn kill(mut self) -> Result<()> {
        self.daemon.child().kill().context("the keyring is gone")
    }

    /// Locks the login collection, as a screen saver or a person does. Nobody is asked to unlock it, unless a test
    /// installs a [`Prompter`](crate::Prompter).
    pub fn lock(bus: &Bus) -> Result<()> {
        bus.call(NAME, PATH, "org.freedesktop.Secret.Service.Lock", &[LOGIN]).map(drop)
    }
}
