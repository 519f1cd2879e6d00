//! npm packages: installed from the lock file, and only when it has changed since.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::{INSTALL_DEADLINE, say, version};
use crate::command;
use crate::repository::Repository;

/// What the UI's build tool asks for.
const NODE: [u32; 3] = [20, 19, 0];

pub fn check_node(repository: &Repository) -> Result<()> {
    let Some(found) = command::answer(repository.command("node").arg("--version")) else {
        bail!("Node.js is missing: install version 20.19 or newer (https://nodejs.org)");
    };
    match version::find(&found) {
        Some(found) if found >= NODE => Ok(()),
        _ => bail!("Node.js is {}: 20.19 or newer is needed (https://nodejs.org)", found.trim()),
    }
}

/// `npm ci` in a folder, unless its packages are those of its lock file already.
pub fn install(repository: &Repository, folder: &str) -> Result<()> {
    let path = repository.path(folder);
    let lock = fs::read(path.join("package-lock.json"))
        .with_context(|| format!("read {folder}/package-lock.json"))?;
    if is_installed(&path, &lock) {
        return Ok(());
    }
    say(&format!("npm packages of {folder}"));
    let mut npm = repository.npm(folder);
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]);
    command::run(&mut npm, INSTALL_DEADLINE)?;
    fs::write(stamp(&path), lock).with_context(|| format!("note what is installed in {folder}"))
}

fn is_installed(folder: &Path, lock: &[u8]) -> bool {
    fs::read(stamp(folder)).is_ok_and(|installed| installed == lock)
}

/// A copy of the lock file that was installed, kept where it vanishes together with the packages.
fn stamp(folder: &Path) -> PathBuf {
    folder.join("node_modules/.usher-installed.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_means_installed_from_this_very_lock() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!is_installed(folder.path(), b"lock"));
        fs::create_dir(folder.path().join("node_modules")).expect("node_modules");
        fs::write(stamp(folder.path()), b"lock").expect("the stamp");
        assert!(is_installed(folder.path(), b"lock"));
        assert!(!is_installed(folder.path(), b"newer lock"));
    }
}
