//! A fake opener of links, which opens nothing and records its arguments.

use std::path::PathBuf;

use anyhow::Result;

use crate::Desktop;

/// A script that replaces all known openers on one desktop.
#[derive(Debug)]
pub struct FakeOpener {
    log: PathBuf,
}

impl FakeOpener {
    /// Installs the script.
    pub fn install(desktop: &Desktop) -> Result<FakeOpener> {
        let log = desktop.folder("cache").join("opener-calls");
        for opener in ["xdg-open", "gio", "gnome-open", "kde-open", "wslview"] {
            // One line per call. A unit separator ends each argument, so that spaces are unambiguous.
            desktop.install_script(
                opener,
                &format!(
                    "#!/bin/sh\n{{ [ $# -eq 0 ] || printf '%s\\037' \"$@\"; echo; }} >> '{}'\n",
                    log.display()
                ),
            )?;
        }
        Ok(FakeOpener { log })
    }

    /// The arguments of each call so far.
    pub fn calls(&self) -> Vec<Vec<String>> {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        text.lines().map(|line| line.split_terminator('\u{1f}').map(str::to_owned).collect()).collect()
    }
}
