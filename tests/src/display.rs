//! A virtual screen: Xvfb with a window manager.

use std::process::Command;

use anyhow::Result;

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
        let screen = ["-displayfd", "1", "-screen", "0", "1400x1100x24", "-nolisten", "tcp", "-noreset"];
        let (server, number) = Process::start_server(Command::new("Xvfb").args(screen))?;
        let name = format!(":{number}");
        let window_manager = Process::start_silent(Command::new("openbox").env("DISPLAY", &name))?;
        Ok(Display { name, _window_manager: window_manager, _server: server })
    }

    /// The value of `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }
}
