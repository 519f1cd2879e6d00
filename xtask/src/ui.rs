//! The web UI: built only when something that it is made from has changed.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::command;
use crate::repository::Repository;

const BUILD_DEADLINE: Duration = Duration::from_secs(10 * 60);

/// Makes `ui/dist` what the sources say.
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
        fs::create_dir_all(repository.target("xtask")).context("make a folder in the target folder")?;
        fs::write(&stamp, sources).context("note what the UI was built from")?;
    }
    Ok(())
}

/// A digest of every file below `ui/` that git tracks or would; none outside a clone.
fn fingerprint(repository: &Repository) -> Option<String> {
    let mut git = repository.command("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "ui"]);
    let listed = command::answer(&mut git)?;
    let mut files: Vec<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
    files.sort_unstable();
    files.dedup();
    // Another compiler may hash otherwise: that costs one build more.
    let mut hasher = DefaultHasher::new();
    for name in files {
        name.hash(&mut hasher);
        // A file that git knows and that is gone differs from one that is empty.
        fs::read(repository.path(name)).ok().hash(&mut hasher);
    }
    Some(format!("{:016x}", hasher.finish()))
}
