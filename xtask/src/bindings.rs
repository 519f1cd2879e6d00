//! The TypeScript types of the app's commands and events, generated from the Rust types by an example of `src-tauri`.

use std::time::Duration;

use anyhow::Result;

use crate::repository::Repository;
use crate::{command, start, ui};

/// Generates the file that the UI imports.
pub fn write(repository: &Repository) -> Result<()> {
    export(repository, &[])
}

/// Fails if the file that the UI imports is out of date.
pub fn check(repository: &Repository) -> Result<()> {
    // The example's error says how to update the file.
    export(repository, &["--check"])
}

fn export(repository: &Repository, arguments: &[&str]) -> Result<()> {
    ui::build_if_changed(repository)?;
    // The whole workspace, so that all builds share one set of features.
    let mut build = repository.cargo();
    build.args(["build", "--workspace", "--example", "export-bindings"]);
    command::run(&mut build, start::BUILD_DEADLINE)?;
    let mut export = repository.command(repository.built("debug", "examples/export-bindings"));
    command::run(export.args(arguments), Duration::from_secs(60))
}
