//! `cargo xtask faults`: the long run of `tests/faults`.
//!
//! Prints the commit and the machine, so that the results can be copied to `tests/faults/README.md`. The arguments are
//! passed on to `tests/faults/run.rs`.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::{command, start, ui};

/// Twice the time that the whole run takes on two busy cores.
const DEADLINE: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// The options of the run, such as the counts and the seed; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

pub fn faults(repository: &Repository, arguments: &Arguments) -> Result<()> {
    setup::set_up(repository, Purpose::Bench)?;
    ui::build_if_changed(repository)?;
    start::build(repository)?;
    println!("Commit {}, debug build, {}, {}.", commit(repository), machine(), today());
    let mut run = repository.command(repository.built("debug", "fault-run"));
    run.args(&arguments.arguments);
    // No connection uses TLS, and loading the system's certificates is most of the cost of a connection.
    run.envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
    command::run(&mut run, DEADLINE)
}

/// The commit that is built, and whether the working tree has changes.
fn commit(repository: &Repository) -> String {
    let git = |arguments: &[&str]| {
        command::try_output(repository.command("git").args(arguments)).unwrap_or_default()
    };
    let commit = git(&["rev-parse", "--short", "HEAD"]);
    let is_changed = !git(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    format!("{}{}", commit.trim(), if is_changed { " with changes" } else { "" })
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let system = command::try_output(Command::new("uname").args(["-s", "-r", "-m"])).unwrap_or_default();
    format!("{cores} cores, {}", if system.is_empty() { std::env::consts::OS } else { system.trim() })
}

fn today() -> String {
    command::try_output(Command::new("date").arg("+%-d %B %Y")).unwrap_or_default().trim().to_owned()
}
