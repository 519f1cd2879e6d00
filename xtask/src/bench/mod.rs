//! `cargo xtask bench`: measures release builds.
//!
//! - the window, compared with an empty one
//! - the memory of the app in the tray, compared with the bare runtime
//! - the window with the longest list of tools and with the worst descriptions, compared with ten tools
//! - the requests of a sign-in
//! - the time with many services, and with many callers
//! - the start of a program, compared with the program alone
//! - tool calls of a program and of an HTTP server, compared with a bare client
//! - the memory that a connected HTTP server needs
//! - the command `usher tools` as a whole process, compared with curl
//! - the memory and time that hostile servers cost
//! - the sizes of the UI and of the programs

mod bundle;
mod command_time;
mod figure;
mod fleet;
mod hostile_load;
mod large_lists;
mod measurements;
mod memory;
mod program_start;
mod server_memory;
mod tool_call;
mod tray;
mod virtual_desktop;
mod windows;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::{command, leftovers, start, ui};

use self::figure::{Figure, Report};

#[derive(clap::Args)]
pub struct Arguments {
    /// How many times to open each of the two windows, alternately
    #[arg(long, default_value_t = 15)]
    runs: u32,
    /// Measure only the windows, on the current display, and write the results to this file
    #[arg(long, hide = true)]
    windows_into: Option<PathBuf>,
}

pub fn bench(repository: &Repository, arguments: &Arguments) -> Result<()> {
    if let Some(path) = &arguments.windows_into {
        return windows::measure_into(repository, arguments.runs, path);
    }
    setup::set_up(repository, Purpose::Bench)?;
    setup::public_programs(repository)?;
    ui::build_if_changed(repository)?;
    build_release(repository)?;
    let mut report = Report::default();
    let windows = virtual_desktop::measure_windows(repository, arguments.runs)?;
    report.extend(windows::figures(&windows)?);
    leftovers::end();
    report.extend(tray::measure(repository)?);
    report.extend(large_lists::measure(repository)?);
    report.extend(wire::measure(repository)?);
    report.extend(fleet::measure(repository)?);
    report.extend([program_start::measure(repository)?]);
    report.extend(tool_call::measure(repository)?);
    report.extend([server_memory::measure(repository)?]);
    report.extend(command_time::measure(repository)?);
    report.extend(hostile_load::measure(repository)?);
    report.extend([
        bundle::measure(&repository.path("ui/dist"))?,
        size("release binary: app", &repository.built("release", "usher-desktop"))?,
        size("release binary: command line", &repository.built("release", "usher"))?,
        size("release binary: bridge", &repository.built("release", "usher-bridge"))?,
    ]);
    let path = repository.target("bench/report.json");
    fs::create_dir_all(repository.target("bench")).context("create the report folder")?;
    fs::write(&path, format!("{:#}\n", report.to_json())).context("write the report")?;
    println!("\n{report}\nAs JSON: {}", path.display());
    Ok(())
}

fn build_release(repository: &Repository) -> Result<()> {
    println!(
        "build: release builds of the app, the command line, the empty window and the measuring program"
    );
    let packages = ["usher-desktop", "usher-cli", "usher-bridge", "usher-empty-window", "usher-tests"]
        .map(|package| ["-p", package]);
    let programs = ["usher-desktop", "usher", "usher-bridge", "usher-empty-window", "measure"]
        .map(|name| ["--bin", name]);
    let mut build = repository.cargo();
    command::run(
        build.args(["build", "--release"]).args(packages.concat()).args(programs.concat()),
        start::BUILD_DEADLINE,
    )
}

fn size(name: &str, program: &Path) -> Result<Figure> {
    let bytes =
        fs::metadata(program).with_context(|| format!("read the size of {}", program.display()))?.len();
    Ok(Figure::new(name, format!("{:.1} MB", megabytes(bytes))).with_value(megabytes(bytes)))
}

fn megabytes(bytes: u64) -> f64 {
    // Exact: file sizes are far below 2^52 bytes.
    bytes as f64 / 1e6
}
