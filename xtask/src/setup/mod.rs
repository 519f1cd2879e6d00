//! What the machine needs: looked at first, without the network; only what is missing is installed.

mod apt;
mod npm;
mod programs;
mod version;

use std::env;
use std::time::Duration;

use anyhow::Result;
use clap::ValueEnum;

use crate::repository::Repository;

/// A first installation over a slow line may take this long.
const INSTALL_DEADLINE: Duration = Duration::from_secs(40 * 60);

/// What the machine is wanted for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Need {
    /// Building Usher and opening it
    Start,
    /// Running every test
    Test,
    /// Measuring
    Bench,
}

impl Need {
    /// Whether a window is opened on a display of our own, with a session bus, a keychain and a browser of its own.
    fn wants_own_desktop(self) -> bool {
        match self {
            Self::Start => !has_display(),
            Self::Test | Self::Bench => true,
        }
    }
}

/// Whether there is a screen to open a window on.
pub fn has_display() -> bool {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Installs what is missing and says so; says nothing where nothing is.
pub fn set_up(repository: &Repository, need: Need) -> Result<()> {
    apt::set_up(repository, &apt::packages(need.wants_own_desktop(), need == Need::Test))?;
    npm::check_node(repository)?;
    npm::install(repository, "ui")?;
    if need == Need::Test {
        npm::install(repository, "tests/conformance")?;
        npm::install(repository, "xtask/bundle")?;
        programs::set_up(repository, programs::TESTS)?;
    }
    Ok(())
}

/// Installs Tauri's tool, for icons and packages.
pub fn bundler(repository: &Repository) -> Result<()> {
    npm::check_node(repository)?;
    npm::install(repository, "xtask/bundle")
}

/// Says what setup is about to do.
fn say(what: &str) {
    println!("setup: {what}");
}
