//! Builds Usher and opens it; without a display, has the demo sign-in walked through on a display of our own.

use std::fs::{self, File};
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::repository::Repository;
use crate::setup::{self, Need};
use crate::{command, leftovers, ui};

pub const BUILD_DEADLINE: Duration = Duration::from_secs(40 * 60);
const WALK_DEADLINE: Duration = Duration::from_secs(5 * 60);
const OPEN_DEADLINE: Duration = Duration::from_secs(60);

/// What the app writes to its error stream once its first screen can be used, when it is asked to.
pub const READY_LINE: &str = "usher-ready";
/// Asks the app for that line.
pub const READY_VARIABLE: &str = "USHER_BENCH";

pub fn start(repository: &Repository, stay: bool) -> Result<()> {
    setup::set_up(repository, Need::Start)?;
    ui::build_if_changed(repository)?;
    build(repository)?;
    match (setup::has_display(), stay) {
        (false, _) => walk(repository),
        (true, true) => stay_open(repository),
        (true, false) => open(repository),
    }
}

/// Builds every program of the workspace: one set of features, so that the tests find the dependencies built.
pub fn build(repository: &Repository) -> Result<()> {
    println!("build: the app and the command line (the first time takes some minutes)");
    command::run(repository.cargo().args(["build", "--workspace", "--bins"]), BUILD_DEADLINE)
}

fn stay_open(repository: &Repository) -> Result<()> {
    println!("Usher is open; this returns when its window is closed.");
    let status = repository.command(app(repository)).status().context("start the app")?;
    if !status.success() {
        bail!("the app ended with {status}");
    }
    Ok(())
}

/// Opens the window and leaves it to the person.
fn open(repository: &Repository) -> Result<()> {
    let log_path = repository.target("start/usher.log");
    fs::create_dir_all(repository.target("start")).context("make a folder for the log")?;
    let log = File::create(&log_path).context("make the log")?;
    let mut child = repository
        .command(app(repository))
        .env(READY_VARIABLE, "1")
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("share the log")?)
        .stderr(log)
        .spawn()
        .context("start the app")?;
    wait_until_open(&mut child, || {
        let mut text = String::new();
        File::open(&log_path)?.read_to_string(&mut text)?;
        Ok(text)
    })?;
    println!("Usher is open. Its log is {}.", log_path.display());
    Ok(())
}

fn wait_until_open(child: &mut Child, read_log: impl Fn() -> std::io::Result<String>) -> Result<()> {
    let started = Instant::now();
    loop {
        let log = read_log().context("read the log")?;
        if log.contains(READY_LINE) {
            return Ok(());
        }
        match child.try_wait()? {
            // A second process hands over to the first and ends.
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("the app ended with {status}:\n{log}"),
            None if started.elapsed() > OPEN_DEADLINE => bail!("no window within a minute:\n{log}"),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn walk(repository: &Repository) -> Result<()> {
    println!("There is no display: walking through the demo sign-in on one of our own.");
    let mut walk = repository.command(repository.built("debug", "demo-walk"));
    with_paths(repository, &mut walk);
    // It tells each step, and where the screenshots lie.
    let walked = command::run(&mut walk, WALK_DEADLINE);
    leftovers::end();
    walked
}

/// Tells the end-to-end programs where the built programs are and where pictures go.
pub fn with_paths(repository: &Repository, command: &mut std::process::Command) {
    command.env("USHER_APP", app(repository));
    command.env("USHER_CLI", repository.built("debug", "usher"));
    command.env("USHER_PACKAGES", repository.target("debug/bundle"));
    command.env("USHER_SCREENSHOTS", repository.target("screenshots"));
}

fn app(repository: &Repository) -> std::path::PathBuf {
    repository.built("debug", "usher-desktop")
}
