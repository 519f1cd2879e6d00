//! The long run of `tests/faults`: builds it, says on what it runs, so that its figures can stand in
//! `tests/faults/README.md`, and hands it its arguments, which `tests/faults/run.rs` knows.

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::repository::Repository;
use crate::setup::{self, Need};
use crate::{command, start, ui};

/// Twice what the whole run takes on two cores that have other work as well.
const DEADLINE: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub struct Arguments {
    /// How many of each, and the seed; `--help` lists them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<OsString>,
}

pub fn faults(repository: &Repository, arguments: &Arguments) -> Result<()> {
    setup::set_up(repository, Need::Bench)?;
    ui::build_if_changed(repository)?;
    start::build(repository)?;
    println!("Commit {}, debug build, {}, {}.", commit(repository), machine(), today());
    let mut run = repository.command(repository.built("debug", "fault-run"));
    run.args(&arguments.words);
    // Nothing here speaks TLS, and reading the system's certificates is most of what an engine does for a connection.
    run.envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
    command::run(&mut run, DEADLINE)
}

/// The commit that is built, with a word where the tree has more in it.
fn commit(repository: &Repository) -> String {
    let answer = |words: &[&str]| command::answer(repository.command("git").args(words)).unwrap_or_default();
    let commit = answer(&["rev-parse", "--short", "HEAD"]);
    let is_changed = !answer(&["status", "--porcelain", "--untracked-files=no"]).is_empty();
    format!("{}{}", commit.trim(), if is_changed { " with changes" } else { "" })
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let system = command::answer(Command::new("uname").args(["-s", "-r", "-m"])).unwrap_or_default();
    format!("{cores} cores, {}", if system.is_empty() { std::env::consts::OS } else { system.trim() })
}

fn today() -> String {
    command::answer(Command::new("date").arg("+%-d %B %Y")).unwrap_or_default().trim().to_owned()
}
