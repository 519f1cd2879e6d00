//! Programs that cargo installs: at a pinned version, unless a good one is there.

use std::fs;

use anyhow::Result;

use super::{INSTALL_DEADLINE, say, version};
use crate::command;
use crate::repository::Repository;

/// A program from crates.io.
pub struct Program {
    name: &'static str,
    /// What is installed when it is missing.
    pinned: &'static str,
    /// The least version that serves.
    least: [u32; 3],
    /// How to ask it for its version.
    version_words: &'static [&'static str],
    /// Further words for `cargo install`.
    options: &'static [&'static str],
}

const NEXTEST: Program = Program {
    name: "cargo-nextest",
    pinned: "0.9.143",
    least: [0, 9, 100],
    version_words: &["nextest", "--version"],
    options: &["--no-default-features", "--features", "default-no-update"],
};

const DENY: Program = Program {
    name: "cargo-deny",
    pinned: "0.20.2",
    least: [0, 20, 0],
    version_words: &["--version"],
    options: &[],
};

/// What runs and checks the tests.
pub const TESTS: &[Program] = &[NEXTEST, DENY];

pub fn set_up(repository: &Repository, programs: &[Program]) -> Result<()> {
    for program in programs.iter().filter(|program| !is_good(repository, program)) {
        say(&format!("{} {} (built once, some minutes)", program.name, program.pinned));
        let mut install = repository.cargo();
        install.args(["install", program.name, "--version", program.pinned, "--locked"]);
        // One folder for all of them: what they share is built once, and an interrupted installation goes on.
        install.args(program.options).arg("--target-dir").arg(repository.target("programs"));
        // They run for seconds; what counts is how soon they are there.
        install.envs([("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"), ("CARGO_PROFILE_RELEASE_LTO", "off")]);
        install
            .envs([("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"), ("CARGO_PROFILE_RELEASE_DEBUG", "false")]);
        command::run(&mut install, INSTALL_DEADLINE)?;
    }
    // A build folder of some hundred MB that serves nobody once all are installed; absent most of the time.
    let _ = fs::remove_dir_all(repository.target("programs"));
    Ok(())
}

fn is_good(repository: &Repository, program: &Program) -> bool {
    let printed = command::answer(repository.command(program.name).args(program.version_words));
    let found = printed.and_then(|text| version::find(&text));
    found.is_some_and(|found| version::is_compatible(found, program.least))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pinned_is_good() {
        for program in TESTS {
            let pinned = version::find(program.pinned).expect("a version");
            assert!(version::is_compatible(pinned, program.least), "{}", program.name);
        }
    }
}
