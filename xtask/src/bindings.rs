//! The TypeScript side of the shell's commands and events: the shell's example writes it from the Rust types.

use std::time::Duration;

use anyhow::Result;

use crate::repository::Repository;
use crate::{command, start, ui};

/// Writes the file that the UI imports.
pub fn write(repository: &Repository) -> Result<()> {
    export(repository, &[])
}

/// Fails when the file that the UI imports is not what would be written now.
pub fn check(repository: &Repository) -> Result<()> {
    // The example's own words name the cure.
    export(repository, &["--check"])
}

fn export(repository: &Repository, words: &[&str]) -> Result<()> {
    ui::build_if_changed(repository)?;
    // The whole workspace, as everywhere, so that one set of features and one build of the dependencies serve all.
    let mut build = repository.cargo();
    build.args(["build", "--workspace", "--example", "export-bindings"]);
    command::run(&mut build, start::BUILD_DEADLINE)?;
    let mut export = repository.command(repository.built("debug", "examples/export-bindings"));
    command::run(export.args(words), Duration::from_secs(60))
}
