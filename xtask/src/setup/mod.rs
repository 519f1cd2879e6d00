//! Installs what the machine needs. Only missing parts are installed, and the check needs no network.

mod apt;
mod npm;
mod programs;
mod python;
mod version;

use std::env;
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::leftovers;
use crate::repository::Repository;

/// Enough for a first installation over a slow connection.
const INSTALL_DEADLINE: Duration = Duration::from_secs(40 * 60);

/// The use of the machine.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Purpose {
    /// Building Usher and opening it
    Start,
    /// Running every test
    Test,
    /// Running the benchmarks
    Bench,
}

impl Purpose {
    /// Whether windows open on a virtual desktop: a display, a session bus, a keychain and a browser.
    fn needs_virtual_desktop(self) -> bool {
        match self {
            Self::Start => !has_display(),
            Self::Test | Self::Bench => true,
        }
    }
}

pub fn has_display() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Installs each missing part and prints its name. Prints nothing if every part is installed.
pub fn set_up(repository: &Repository, purpose: Purpose) -> Result<()> {
    if purpose != Purpose::Test {
        return install_packages(repository, purpose);
    }
    thread::scope(|scope| {
        // Cargo builds the test programs while apt and npm download and unpack.
        let programs = scope.spawn(|| programs::set_up(repository, programs::TESTS));
        let packages = install_packages(repository, purpose);
        if packages.is_err() {
            // This stops the build, so that the error is shown at once.
            leftovers::end();
        }
        let programs =
            programs.join().unwrap_or_else(|_| bail!("the installation of the test programs panicked"));
        packages.and(programs)
    })
}

fn install_packages(repository: &Repository, purpose: Purpose) -> Result<()> {
    let is_test = purpose == Purpose::Test;
    apt::set_up(repository, &apt::packages(purpose.needs_virtual_desktop(), is_test))?;
    npm::check_node(repository)?;
    npm::install(repository, "ui")?;
    if is_test {
        npm::install(repository, "tests/conformance")?;
        public_programs(repository)?;
        python::install(repository, "tests/programs")?;
        npm::install(repository, "xtask/bundle")?;
    }
    Ok(())
}

/// Installs the Tauri CLI, which draws icons and builds packages.
pub fn bundler(repository: &Repository) -> Result<()> {
    npm::check_node(repository)?;
    npm::install(repository, "xtask/bundle")
}

/// Installs the public MCP servers that run as programs.
pub fn public_programs(repository: &Repository) -> Result<()> {
    npm::install(repository, "tests/programs")
}

/// Installs the program that builds and runs the fuzz targets.
pub fn fuzzer(repository: &Repository) -> Result<()> {
    programs::set_up(repository, programs::FUZZ)
}

fn announce(what: &str) {
    println!("setup: {what}");
}
