//! A virtual screen: Xvfb with a window manager.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use crate::Process;

/// An X server with a window manager, which moves and resizes windows.
#[derive(Debug)]
pub struct Display {
    name: String,
    _window_manager: Process,
    _server: Process,
}

impl Display {
    /// Starts a screen that is large enough for all windows of the tests. Xvfb picks a free display number.
    pub fn start() -> Result<Display> {
        let mut server = Process::start(
            Command::new("Xvfb")
                .args(["-displayfd", "1", "-screen", "0", "1400x1100x24", "-nolisten", "tcp", "-noreset"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null()),
        )?;
        let stdout = server.child().stdout.take().context("Xvfb has no stdout")?;
        let mut number = String::new();
        BufReader::new(stdout).read_line(&mut number).context("cannot read the display number of Xvfb")?;
        anyhow::ensure!(!number.trim().is_empty(), "Xvfb did not start");
        let name = format!(":{}", number.trim());
        let window_manager = Process::start(
            Command::new("openbox")
                .env("DISPLAY", &name)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null()),
        )?;
        Ok(Display { name, _window_manager: window_manager, _server: server })
    }

    /// The value of `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }
}
