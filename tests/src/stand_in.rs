//! A stand-in for the system's opener: it opens nothing and writes down how it was called.

use std::path::PathBuf;

use anyhow::Result;

use crate::Desktop;

/// First on the `PATH` of one desktop, in the place of every opener a program may look for.
#[derive(Debug)]
pub struct OpenerStandIn {
    log: PathBuf,
}

impl OpenerStandIn {
    /// Puts it there.
    pub fn install(desktop: &Desktop) -> Result<OpenerStandIn> {
        let log = desktop.folder("cache").join("opener-calls");
        for opener in ["xdg-open", "gio", "gnome-open", "kde-open", "wslview"] {
            // One line a call: its arguments, each ended by a unit separator, so that none can pass for two.
            desktop.install_script(
                opener,
                &format!(
                    "#!/bin/sh\n{{ [ $# -eq 0 ] || printf '%s\\037' \"$@\"; echo; }} >> '{}'\n",
                    log.display()
                ),
            )?;
        }
        Ok(OpenerStandIn { log })
    }

    /// The arguments of each call so far.
    pub fn calls(&self) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(|line| line.split_terminator('\u{1f}').map(str::to_owned).collect()).collect()
    }
}
