//! The build of the web UI, skipped if its sources have not changed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command;
use crate::repository::Repository;

const BUILD_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Builds `ui/dist` if its sources have changed.
pub fn build_if_changed(repository: &Repository) -> Result<()> {
    let stamp = repository.target("xtask/ui-build");
    let sources = fingerprint(repository);
    let is_built = repository.path("ui/dist/index.html").exists();
    if is_built && sources.is_some() && fs::read_to_string(&stamp).ok() == sources {
        return Ok(());
    }
    println!("ui: building");
    command::run(repository.npm("ui").args(["run", "build"]), BUILD_DEADLINE)?;
    if let Some(sources) = sources {
        fs::create_dir_all(repository.target("xtask")).context("create a folder in the target folder")?;
        fs::write(&stamp, sources).context("record what the UI was built from")?;
    }
    Ok(())
}

/// A digest of every file below `ui/` that git does not ignore. Returns `None` outside a git clone.
fn fingerprint(repository: &Repository) -> Option<String> {
    let mut git = repository.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "ui"]);
    let listed = command::try_output(&mut git)?;
    let mut files: Vec<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
    files.sort_unstable();
    files.dedup();
    // A different compiler may produce another hash, which costs one more build.
    let mut hasher = DefaultHasher::new();
    for name in files {
        name.hash(&mut hasher);
        // A deleted file differs from an empty one.
        fs::read(repository.path(name)).ok().hash(&mut hasher);
    }
    Some(format!("{:016x}", hasher.finish()))
}
