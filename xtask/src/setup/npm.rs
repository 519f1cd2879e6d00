//! npm packages, installed from the lock file when it has changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{INSTALL_DEADLINE, announce, version};
use crate::command;
use crate::repository::Repository;

/// The Node.js versions that the UI's build tool supports.
const NODE: &str = ">=20.19.0";

pub fn check_node(repository: &Repository) -> Result<()> {
    let Some(found) = command::try_output(repository.command("node").arg("--version")) else {
        bail!("Node.js is missing: install version 20.19 or newer (https://nodejs.org)");
    };
    match version::find(&found) {
        Some(found) if version::meets(&found, NODE) => Ok(()),
        _ => bail!("Node.js is {}: 20.19 or newer is needed (https://nodejs.org)", found.trim()),
    }
}

/// Runs `npm ci` in a folder, unless the packages of its lock file are installed.
pub fn install(repository: &Repository, folder: &str) -> Result<()> {
    let path = repository.path(folder);
    let lock = fs::read(path.join("package-lock.json"))
        .with_context(|| format!("read {folder}/package-lock.json"))?;
    if is_installed(&path, &lock) {
        return Ok(());
    }
    announce(&format!("npm packages of {folder}"));
    let mut npm = repository.npm(folder);
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    command::run(&mut npm, INSTALL_DEADLINE)?;
    fs::write(stamp(&path), lock).with_context(|| format!("record what is installed in {folder}"))
}

fn is_installed(folder: &Path, lock: &[u8]) -> bool {
    fs::read(stamp(folder)).is_ok_and(|installed| installed == lock)
}

/// A copy of the installed lock file. It is deleted together with the packages.
fn stamp(folder: &Path) -> PathBuf {
    folder.join("node_modules/.usher-installed.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_of_another_lock_file_do_not_count_as_installed() {
        let folder = tempfile::tempdir().expect("temp dir");
        assert!(!is_installed(folder.path(), b"lock"));
        fs::create_dir(folder.path().join("node_modules")).expect("node_modules");
        fs::write(stamp(folder.path()), b"lock").expect("write the stamp");
        assert!(is_installed(folder.path(), b"lock"));
        assert!(!is_installed(folder.path(), b"newer lock"));
    }
}
