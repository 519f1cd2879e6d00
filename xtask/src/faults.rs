//! The long run of `tests/faults`: kills, faults of the token endpoint, many processes at once. Says on what it ran, so
//! that its figures can stand in `tests/faults/README.md`.

use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::repository::Repository;
use crate::setup::{self, Need};
use crate::{command, start, ui};

/// Twice what the whole run takes on two cores that have other work as well.
const DEADLINE: Duration = Duration::from_secs(2 * 60 * 60);

#[derive(clap::Args)]
pub struct Arguments {
    /// Kills of the engine's process, one half at a server with 5 s of grace and one at a strict one
    #[arg(long, default_value_t = 1000)]
    kills: u32,
    /// Faults of the token endpoint, one half at each of these servers
    #[arg(long, default_value_t = 10_000)]
    faults: u32,
    /// Expiries of a token, each met by sixteen processes of the command line
    #[arg(long, default_value_t = 500)]
    expiries: u32,
    /// What chance goes by, to have a run again; another one each time where it is not told
    #[arg(long)]
    seed: Option<u64>,
}

pub fn faults(repository: &Repository, arguments: &Arguments) -> Result<()> {
    setup::set_up(repository, Need::Start)?;
    ui::build_if_changed(repository)?;
    start::build(repository)?;
    println!("Commit {}, {}.", commit(repository), machine());
    let mut run = repository.command(repository.built("debug", "fault-run"));
    for (name, count) in
        [("--kills", arguments.kills), ("--faults", arguments.faults), ("--expiries", arguments.expiries)]
    {
        run.arg(name).arg(count.to_string());
    }
    // Nothing here speaks TLS, and reading the system's certificates is most of what an engine does for a connection.
    run.envs([("SSL_CERT_FILE", "/dev/null"), ("SSL_CERT_DIR", "/dev/null")]);
    if let Some(seed) = arguments.seed {
        run.arg("--seed").arg(seed.to_string());
    }
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
