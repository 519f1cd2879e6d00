//! Programs that cargo installs at a pinned version, unless a compatible version is already installed.

use std::fs;

use anyhow::Result;

use super::{INSTALL_DEADLINE, announce, version};
use crate::command;
use crate::repository::Repository;

/// A program from crates.io.
pub struct Program {
    name: &'static str,
    pinned: &'static str,
    /// The versions that work, written like a requirement in Cargo.toml.
    compatible: &'static str,
    version_arguments: &'static [&'static str],
    options: &'static [&'static str],
}

/// Not the newest version, which takes half as long again to build.
const NEXTEST: Program = Program {
    name: "cargo-nextest",
    pinned: "0.9.100",
    compatible: "0.9.100",
    version_arguments: &["nextest", "--version"],
    options: &["--no-default-features"],
};

const DENY: Program = Program {
    name: "cargo-deny",
    pinned: "0.20.2",
    compatible: "0.20.0",
    version_arguments: &["--version"],
    options: &[],
};

const CARGO_FUZZ: Program = Program {
    name: "cargo-fuzz",
    pinned: "0.13.2",
    compatible: "0.13.0",
    version_arguments: &["--version"],
    options: &[],
};

/// The programs that the tests need.
pub const TESTS: &[Program] = &[NEXTEST, DENY];

/// The programs that `cargo xtask fuzz` needs.
pub const FUZZ: &[Program] = &[CARGO_FUZZ];

pub fn set_up(repository: &Repository, programs: &[Program]) -> Result<()> {
    for program in programs.iter().filter(|program| !is_installed(repository, program)) {
        announce(&format!("{} {} (the build takes some minutes)", program.name, program.pinned));
        let mut install = repository.cargo();
        install.args(["install", "--quiet", program.name, "--version", program.pinned, "--locked"]);
        // A shared target folder: common dependencies are built once, and an interrupted build resumes.
        install.args(program.options).arg("--target-dir").arg(repository.target("programs"));
        // The programs run for seconds, so a quick build matters more than their speed.
        install.arg("--debug").envs([("CARGO_PROFILE_DEV_DEBUG", "false"), ("CARGO_INCREMENTAL", "0")]);
        command::run(&mut install, INSTALL_DEADLINE)?;
    }
    // The build folder of several hundred MB is not needed any more. Usually it does not exist.
    let _ = fs::remove_dir_all(repository.target("programs"));
    Ok(())
}

fn is_installed(repository: &Repository, program: &Program) -> bool {
    let printed = command::try_output(repository.command(program.name).args(program.version_arguments));
    let found = printed.and_then(|text| version::find(&text));
    found.is_some_and(|found| version::meets(&found, program.compatible))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pinned_version_is_compatible() {
        for program in TESTS.iter().chain(FUZZ) {
            let pinned = version::find(program.pinned).expect("a version");
            assert!(version::meets(&pinned, program.compatible), "{}", program.name);
        }
    }
}
