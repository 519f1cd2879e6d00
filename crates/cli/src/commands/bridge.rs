//! `usher bridge`: runs `usher-bridge`, which is beside this program, in place of this process.

use std::process::Command;

use crate::arguments;
use crate::exit::{CommandError, internal};
use crate::paths::Paths;

/// Runs the bridge. Returns only if it cannot be started, or on Windows when it has ended.
pub fn run(paths: &Paths, arguments: &arguments::Bridge) -> Result<(), CommandError> {
    let program = std::env::current_exe()
        .map_err(|error| internal(format!("Could not find this program: {error}.")))?
        .with_file_name(if cfg!(windows) { "usher-bridge.exe" } else { "usher-bridge" });
    let mut command = Command::new(&program);
    command.env("USHER_STATE_DIR", paths.state_dir()).env("USHER_RUNTIME_DIR", paths.runtime_dir());
    if let Some(config) = &paths.config {
        command.env("USHER_CONFIG", config);
    }
    if let Some(store) = &paths.secret_store {
        command.env("USHER_SECRET_STORE", store.to_string());
    }
    if let Some(label) = &arguments.label {
        command.arg("--as").arg(label);
    }
    match &arguments.server {
        Some(server) => command.arg("--").arg(server),
        None => command.arg("--all"),
    };
    let error = replace_process(&mut command);
    Err(internal(format!("Could not run {}: {error}.", program.display())).with_hint("Install Usher again."))
}

#[cfg(unix)]
fn replace_process(command: &mut Command) -> std::io::Error {
    std::os::unix::process::CommandExt::exec(command)
}

#[cfg(not(unix))]
fn replace_process(command: &mut Command) -> std::io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => error,
    }
}
