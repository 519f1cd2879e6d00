//! This very machine: a package put on it and taken off again, and what lies on it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::package::{Package, said};

/// Where packages put files. Nothing else writes there but other packages.
const FOLDERS: [&str; 4] = ["/etc", "/opt", "/usr", "/var/lib/dpkg/info"];
/// What people and programs write there at any time.
const NOT_OURS: [&str; 1] = ["/usr/local"];
/// Which entries take which types, for all of the machine.
const TYPES: &str = "/usr/share/applications/mimeinfo.cache";

/// The package, installed. It is taken off when this is dropped, at the latest.
#[derive(Debug)]
pub struct Installed {
    is_there: bool,
}

impl Installed {
    /// Installs it as root. Never over an Usher that somebody uses here.
    pub fn install(package: &Package) -> Result<Installed> {
        anyhow::ensure!(
            !Installed::is_known()?,
            "usher is installed on this machine; remove it first (`apt purge usher`), or leave this test out"
        );
        dpkg("--install", package.file.as_os_str())
            .context("a package can only be tried as root, or where sudo asks for no password")?;
        Ok(Installed { is_there: true })
    }

    /// Puts another version in its place.
    pub fn upgrade(&self, package: &Package) -> Result<()> {
        dpkg("--install", package.file.as_os_str())
    }

    /// Which version dpkg says is there.
    pub fn version(&self) -> Result<String> {
        said(Command::new("dpkg-query").args(["--show", "--showformat", "${Version}", "usher"]))
    }

    /// Takes it off with its settings. Errors leave it to be tried once more on drop.
    pub fn purge(mut self) -> Result<()> {
        dpkg("--purge", "usher".as_ref())?;
        self.is_there = false;
        Ok(())
    }

    /// Whether dpkg knows of it, be it only by settings that were left.
    pub fn is_known() -> Result<bool> {
        let mut ask = Command::new("dpkg-query");
        let status = ask.args(["--status", "usher"]).output().context("cannot run dpkg-query")?.status;
        Ok(status.success())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if self.is_there
            && let Err(error) = dpkg("--purge", "usher".as_ref())
        {
            eprintln!("usher stays on this machine: {error:#}");
        }
    }
}

/// What packages changed on this machine.
#[derive(Debug, PartialEq, Eq)]
pub struct Machine {
    pub files: BTreeSet<PathBuf>,
    pub types: String,
}

impl Machine {
    /// How it is now.
    pub fn look() -> Result<Machine> {
        let mut files = BTreeSet::new();
        for folder in FOLDERS {
            walk(Path::new(folder), &mut files)?;
        }
        Ok(Machine { files, types: std::fs::read_to_string(TYPES).unwrap_or_default() })
    }
}

fn walk(folder: &Path, files: &mut BTreeSet<PathBuf>) -> Result<()> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        // Not on this machine, or gone since its own folder was read.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("look into {}", folder.display())),
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        // Whoever runs Python as root leaves these.
        if path.ends_with("__pycache__") || NOT_OURS.iter().any(|folder| path == Path::new(folder)) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            walk(&path, files)?;
        }
        files.insert(path);
    }
    Ok(())
}

fn dpkg(action: &str, what: &std::ffi::OsStr) -> Result<()> {
    said(as_root("dpkg").arg(action).arg(what)).map(drop)
}

/// A program that may change the machine.
pub fn as_root(program: &str) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", program]);
        sudo
    };
    // dpkg looks for its helpers there, and a person's path may lack them.
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
    command
}
