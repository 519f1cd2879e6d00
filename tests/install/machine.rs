//! Installs the package on this machine, removes it, and reads the files of installed packages.

use std::collections::BTreeSet;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use walkdir::WalkDir;

use crate::package::{Package, run};

/// The folders of packages. Only packages write there.
const FOLDERS: [&str; 4] = ["/etc", "/opt", "/usr", "/var/lib/dpkg/info"];
/// The folder in [`FOLDERS`] that people and other programs may write to.
const IGNORED: &str = "/usr/local";
/// The system-wide map from MIME types to desktop entries.
const TYPES: &str = "/usr/share/applications/mimeinfo.cache";

/// The installed package. Dropping this removes it.
#[derive(Debug)]
pub struct Installed {
    is_installed: bool,
}

impl Installed {
    /// Installs the package as root. Fails if Usher is already installed on this machine.
    pub fn install(package: &Package) -> Result<Installed> {
        anyhow::ensure!(
            !Installed::is_known()?,
            "usher is installed on this machine; remove it first (`apt purge usher`), or skip this test"
        );
        dpkg("--install", package.file.as_os_str())
            .context("installing a package needs root, or sudo without a password")?;
        Ok(Installed { is_installed: true })
    }

    pub fn upgrade(&self, package: &Package) -> Result<()> {
        dpkg("--install", package.file.as_os_str())
    }

    pub fn version(&self) -> Result<String> {
        run(Command::new("dpkg-query").args(["--show", "--showformat", "${Version}", "usher"]))
    }

    /// Removes the package with its settings. If that fails, dropping this tries again.
    pub fn purge(mut self) -> Result<()> {
        dpkg("--purge", "usher".as_ref())?;
        self.is_installed = false;
        Ok(())
    }

    /// Whether dpkg knows the package. This includes a removed package whose settings are left.
    pub fn is_known() -> Result<bool> {
        let mut query = Command::new("dpkg-query");
        let status = query.args(["--status", "usher"]).output().context("cannot run dpkg-query")?.status;
        Ok(status.success())
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        if self.is_installed
            && let Err(error) = dpkg("--purge", "usher".as_ref())
        {
            eprintln!("cannot remove usher from this machine: {error:#}");
        }
    }
}

/// The files and the MIME types of the packages on this machine.
#[derive(Debug, PartialEq, Eq)]
pub struct SystemState {
    pub files: BTreeSet<PathBuf>,
    pub types: String,
}

impl SystemState {
    pub fn read() -> Result<SystemState> {
        let mut files = BTreeSet::new();
        for folder in FOLDERS {
            // Python leaves `__pycache__` when it runs as root.
            let is_left_out = |path: &Path| path.ends_with("__pycache__") || path == Path::new(IGNORED);
            let entries = WalkDir::new(folder).into_iter().filter_entry(|entry| !is_left_out(entry.path()));
            for entry in entries {
                match entry {
                    Ok(entry) => drop(files.insert(entry.into_path())),
                    // The folder does not exist, or was removed since its parent was read.
                    Err(error) if error.io_error().is_some_and(|error| error.kind() == NotFound) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(SystemState { files, types: std::fs::read_to_string(TYPES).unwrap_or_default() })
    }
}

fn dpkg(action: &str, what: &std::ffi::OsStr) -> Result<()> {
    run(as_root("dpkg").arg(action).arg(what)).map(drop)
}

pub fn as_root(program: &str) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        Command::new(program)
    } else {
        let mut sudo = Command::new("sudo");
        sudo.args(["--non-interactive", program]);
        sudo
    };
    // dpkg needs helpers in the sbin folders, which may be missing from a user's PATH.
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command.env("DEBIAN_FRONTEND", "noninteractive").env("LC_ALL", "C");
    command
}
