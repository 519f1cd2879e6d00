//! The paths of the repository, and commands that run in it.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

/// The repository in which `cargo xtask` was called.
#[derive(Clone)]
pub struct Repository {
    root: PathBuf,
    target: PathBuf,
    cargo_bin: Option<PathBuf>,
    with_clippy: bool,
}

impl Repository {
    pub fn find() -> Result<Self> {
        // Cargo sets the variable. The compiled-in value is for a program that was started without cargo.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root =
            Path::new(&manifest).parent().context("xtask is at the root of the file system")?.to_owned();
        // This program is TARGET/PROFILE/usher-xtask, whichever target folder cargo is configured to use.
        let program = env::current_exe().context("find the running program")?;
        let target = program.ancestors().nth(2).context("find the target folder")?.to_owned();
        let cargo_bin = env::var_os("CARGO_HOME")
            .map(PathBuf::from)
            .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
            .map(|home| home.join("bin"));
        Ok(Self { root, target, cargo_bin, with_clippy: false })
    }

    /// The same repository, in which cargo compiles the workspace with Clippy and every warning is an error. The
    /// built programs are the same. `cargo clippy` is not used, because it would check hundreds of dependencies again.
    pub fn with_clippy(&self) -> Self {
        Self { with_clippy: true, ..self.clone() }
    }

    /// A path in the repository.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path in the target folder.
    pub fn target(&self, relative: &str) -> PathBuf {
        self.target.join(relative)
    }

    /// A program that cargo built, by profile ("debug", "release") and name.
    pub fn built(&self, profile: &str, name: &str) -> PathBuf {
        self.target.join(profile).join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// A command that runs at the root. It also finds programs that cargo installed.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("PATH", self.search_path());
        command
    }

    /// `cargo` of the toolchain that runs this program.
    pub fn cargo(&self) -> Command {
        let mut command = self.command(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        // Build scripts would see the variables of `cargo run` as a change, and would run again.
        for (name, _) in env::vars_os() {
            if is_set_by_cargo_run(&name) {
                command.env_remove(name);
            }
        }
        if self.with_clippy {
            // As `cargo clippy -- -D warnings` sets them.
            command.env("RUSTC_WORKSPACE_WRAPPER", "clippy-driver");
            command.env("CLIPPY_ARGS", "-Dwarnings__CLIPPY_HACKERY__");
        }
        command
    }

    pub fn npm(&self, folder: &str) -> Command {
        let mut command = self.command(if cfg!(windows) { "npm.cmd" } else { "npm" });
        command.current_dir(self.path(folder));
        command
    }

    /// The Tauri CLI, which draws icons and builds packages. [`crate::setup::bundler`] installs it.
    pub fn tauri(&self) -> Command {
        let mut command = self.command("node");
        command.arg(self.path("xtask/bundle/node_modules/@tauri-apps/cli/tauri.js"));
        command
    }

    fn search_path(&self) -> OsString {
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = self.cargo_bin.iter().cloned().chain(env::split_paths(&path));
        // A folder name that contains the separator cannot be joined. In that case, the path is not changed.
        env::join_paths(folders).unwrap_or(path)
    }
}

fn is_set_by_cargo_run(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") || name == "CARGO_BIN_NAME"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_variables_of_cargo_run_are_removed() {
        for added in ["CARGO_PKG_NAME", "CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH"] {
            assert!(is_set_by_cargo_run(OsStr::new(added)), "{added}");
        }
        for kept in ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE", "PATH"] {
            assert!(!is_set_by_cargo_run(OsStr::new(kept)), "{kept}");
        }
    }

    #[test]
    fn the_repository_is_found() {
        let repository = Repository::find().expect("the repository");
        assert!(repository.path("xtask/Cargo.toml").is_file());
        assert!(repository.path("crates").is_dir());
    }
}
