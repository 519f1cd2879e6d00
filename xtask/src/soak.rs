//! `cargo xtask soak`: runs an idle engine for a long time, with services whose tokens are short-lived.

use std::time::Duration;

use anyhow::Result;

use crate::command;
use crate::repository::Repository;

const BUILD_DEADLINE: Duration = Duration::from_secs(60 * 60);
/// Time for the sign-ins and the warm-up.
const EXTRA_TIME: Duration = Duration::from_secs(10 * 60);

#[derive(clap::Args)]
pub struct Arguments {
    /// Minutes to measure, after a warm-up of about a minute
    #[arg(long, default_value_t = 30)]
    minutes: u64,
    /// Use a debug build, which builds faster; its CPU use is printed but not checked
    #[arg(long)]
    debug: bool,
}

pub fn soak(repository: &Repository, arguments: &Arguments) -> Result<()> {
    let mut build = repository.cargo();
    build.args(["build", "-p", "usher-tests", "--bin", "soak"]);
    let profile = if arguments.debug { "debug" } else { "release" };
    if !arguments.debug {
        build.arg("--release");
    }
    command::run(&mut build, BUILD_DEADLINE)?;
    let mut soak = repository.command(repository.built(profile, "soak"));
    let deadline = Duration::from_secs(60 * arguments.minutes) + EXTRA_TIME;
    command::run(soak.arg("--minutes").arg(arguments.minutes.to_string()), deadline)
}
