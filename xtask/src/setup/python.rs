//! The program `uv`, and a Python server that `uvx` runs, installed from their lock files when one of them has changed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::{INSTALL_DEADLINE, announce};
use crate::command;
use crate::repository::Repository;

/// The lock file of `uv`.
const UV: &str = "uv.txt";
/// The lock file of the server, which has the name of its program.
const SERVER: &str = "mcp-server-time.txt";

/// Installs `uv` into `.venv` and the server into uv's cache `.uv`, unless they are installed.
pub fn install(repository: &Repository, folder: &str) -> Result<()> {
    let path = repository.path(folder);
    let locked = lock_files(&path)?;
    if fs::read(stamp(&path)).is_ok_and(|installed| installed == locked) {
        return Ok(());
    }
    announce(&format!("Python packages of {folder}"));
    let environment = path.join(".venv");
    let mut create = repository.command("python3");
    command::run(create.args(["-m", "venv", "--clear"]).arg(&environment), INSTALL_DEADLINE)?;
    let mut pip = repository.command(environment.join("bin/pip"));
    pip.args(["install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--requirement"]);
    command::run(pip.arg(path.join(UV)), INSTALL_DEADLINE)?;
    // The first start of a server fills the cache. The tests need no network.
    let mut uvx = repository.command(environment.join("bin/uvx"));
    uvx.args(["--quiet", "--constraints"]).arg(path.join(SERVER)).args(["mcp-server-time", "--help"]);
    let help = command::output(uvx.env("UV_CACHE_DIR", path.join(".uv")))?;
    anyhow::ensure!(help.contains("usage"), "the server does not run: {help}");
    fs::write(stamp(&path), locked).with_context(|| format!("record what is installed in {folder}"))
}

fn lock_files(folder: &Path) -> Result<Vec<u8>> {
    let mut all = Vec::new();
    for name in [UV, SERVER] {
        all.extend(fs::read(folder.join(name)).with_context(|| format!("read {name}"))?);
    }
    Ok(all)
}

/// A copy of the installed lock files. It is deleted together with the environment.
fn stamp(folder: &Path) -> PathBuf {
    folder.join(".venv/.usher-installed.txt")
}
