//! `cargo xtask start`: builds Usher and opens it. Without a display, runs the demo sign-in on a virtual display.

use std::fs::{self, File};
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::{command, leftovers, ui};

pub const BUILD_DEADLINE: Duration = Duration::from_secs(40 * 60);
const DEMO_DEADLINE: Duration = Duration::from_secs(5 * 60);
const OPEN_DEADLINE: Duration = Duration::from_secs(60);

/// The line that the app writes to stderr once its first screen is usable.
pub const READY_LINE: &str = "usher-ready";
/// The variable that makes the app write that line.
pub const READY_VARIABLE: &str = "USHER_BENCH";

pub fn start(repository: &Repository, stay: bool) -> Result<()> {
    setup::set_up(repository, Purpose::Start)?;
    ui::build_if_changed(repository)?;
    build(repository)?;
    match (setup::has_display(), stay) {
        (false, _) => run_demo(repository),
        (true, true) => stay_open(repository),
        (true, false) => open(repository),
    }
}

/// Builds every program of the workspace. The tests use the same set of features, so they reuse the dependencies.
pub fn build(repository: &Repository) -> Result<()> {
    println!("build: the app and the command line (the first time takes some minutes)");
    command::run(repository.cargo().args(["build", "--workspace", "--bins"]), BUILD_DEADLINE)
}

fn stay_open(repository: &Repository) -> Result<()> {
    println!("Usher is open. This command ends when Usher quits.");
    let status = repository.command(app(repository)).status().context("start the app")?;
    if !status.success() {
        bail!("the app exited with {status}");
    }
    Ok(())
}

/// Opens the window and returns.
fn open(repository: &Repository) -> Result<()> {
    let log_path = repository.target("start/usher.log");
    fs::create_dir_all(repository.target("start")).context("create the log folder")?;
    let log = File::create(&log_path).context("create the log")?;
    let mut child = repository
        .command(app(repository))
        .env(READY_VARIABLE, "1")
        .stdin(Stdio::null())
        .stdout(log.try_clone().context("duplicate the log handle")?)
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
            // A second process passes its arguments to the first and exits.
            Some(status) if status.success() => return Ok(()),
            Some(status) => bail!("the app exited with {status}:\n{log}"),
            None if started.elapsed() > OPEN_DEADLINE => bail!("no window opened within a minute:\n{log}"),
            None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

fn run_demo(repository: &Repository) -> Result<()> {
    println!("There is no display. Running the demo sign-in on a virtual display.");
    let mut demo = repository.command(repository.built("debug", "demo-walk"));
    // The demo prints each step, and the folder of the screenshots.
    let result = command::run(&mut demo, DEMO_DEADLINE);
    leftovers::end();
    result
}

fn app(repository: &Repository) -> std::path::PathBuf {
    repository.built("debug", "usher-desktop")
}
