//! `cargo xtask fuzz`: runs the fuzz targets of `tests/fuzz`, one after the other, until the first crash.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;

use crate::command;
use crate::repository::Repository;
use crate::setup;

const FOLDER: &str = "tests/fuzz";
const BUILD_DEADLINE: Duration = Duration::from_secs(2 * 60 * 60);
/// The time that a target may take beyond its minutes: to read its corpus, and to report a crash.
const EXTRA_TIME: Duration = Duration::from_secs(5 * 60);

/// Megabytes of one target. An input that needs more is reported as a crash.
const MEMORY_LIMIT: u32 = 2048;
/// Seconds for one input, on a busy machine. A slower input is reported as a crash.
const INPUT_TIMEOUT: u32 = 10;

#[derive(clap::Args)]
pub struct Arguments {
    /// Minutes for each target
    #[arg(long, default_value_t = 1)]
    minutes: u32,
    /// The instrumentation that finds errors in unsafe code; `address` sets `RUSTC_BOOTSTRAP=1`, because stable Rust
    /// does not accept it otherwise
    #[arg(long, value_enum, default_value_t = Sanitizer::None)]
    sanitizer: Sanitizer,
    /// Targets to run; all of them if none is named
    #[arg(value_enum)]
    targets: Vec<Target>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Sanitizer {
    None,
    Address,
}

impl Sanitizer {
    fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Address => "address",
        }
    }
}

/// The parsers of untrusted input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// `WWW-Authenticate` headers
    Challenge,
    /// Metadata of resources and authorization servers
    Metadata,
    /// Responses of token endpoints
    TokenResponse,
    /// Callbacks from the browser
    Callback,
    /// Event streams of MCP servers
    EventStream,
    /// The file `mcp.json`
    McpJson,
    /// Lines on the engine's socket
    SocketLine,
}

impl Target {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The length of the longest input. Longer ones take more time and reach no more code.
    fn longest_input(self) -> u32 {
        match self {
            Self::Challenge | Self::Callback | Self::SocketLine => 8 * 1024,
            Self::Metadata | Self::TokenResponse | Self::EventStream | Self::McpJson => 32 * 1024,
        }
    }
}

pub fn fuzz(repository: &Repository, arguments: &Arguments) -> Result<()> {
    setup::fuzzer(repository)?;
    let targets = if arguments.targets.is_empty() { Target::value_variants() } else { &arguments.targets };
    let mut build = cargo_fuzz(repository, arguments.sanitizer, "build");
    command::run(&mut build, BUILD_DEADLINE).context("build the fuzz targets")?;
    for target in targets {
        println!("fuzz: {} for {} min", target.name(), arguments.minutes);
        run(repository, arguments, *target)?;
    }
    println!("fuzz: no crash in {} targets", targets.len());
    Ok(())
}

fn run(repository: &Repository, arguments: &Arguments, target: Target) -> Result<()> {
    let name = target.name();
    // The fuzzer writes new inputs into the first folder, which git ignores.
    let corpus = repository.path(&format!("{FOLDER}/target/corpus/{name}"));
    fs::create_dir_all(&corpus).with_context(|| format!("create {}", corpus.display()))?;
    let artifacts = repository.path(&format!("{FOLDER}/artifacts/{name}"));
    let before = files(&artifacts);
    let seconds = 60 * arguments.minutes;
    let mut command = cargo_fuzz(repository, arguments.sanitizer, "run");
    command.arg(&name).arg(&corpus).arg(repository.path(&format!("{FOLDER}/seeds/{name}")));
    command.arg("--").args([
        format!("-max_total_time={seconds}"),
        format!("-max_len={}", target.longest_input()),
        format!("-rss_limit_mb={MEMORY_LIMIT}"),
        format!("-timeout={INPUT_TIMEOUT}"),
        "-print_final_stats=1".to_owned(),
    ]);
    let status = command::status(&mut command, Duration::from_secs(seconds.into()) + EXTRA_TIME)?;
    if status.success() {
        return Ok(());
    }
    let new = files(&artifacts).into_iter().find(|file| !before.contains(file));
    match new {
        Some(input) => bail!(
            "{name} crashed. The input is {}. To run it again: \
             cargo fuzz run --fuzz-dir {FOLDER} --sanitizer {} {name} {}",
            input.display(),
            arguments.sanitizer.name(),
            input.display()
        ),
        None => bail!("{name} failed without a crash ({status})"),
    }
}

fn cargo_fuzz(repository: &Repository, sanitizer: Sanitizer, subcommand: &str) -> Command {
    let mut command = repository.cargo();
    command.args(["fuzz", subcommand, "--fuzz-dir", FOLDER, "--sanitizer", sanitizer.name()]);
    if matches!(sanitizer, Sanitizer::Address) {
        // Stable Rust contains the sanitizer, but accepts its option only with this variable.
        command.env("RUSTC_BOOTSTRAP", "1");
    }
    // The fuzz targets are built without Clippy.
    command.env_remove("RUSTC_WORKSPACE_WRAPPER").env_remove("CLIPPY_ARGS");
    command
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_a_binary_and_seeds() {
        let repository = Repository::find().expect("the repository");
        let manifest = fs::read_to_string(repository.path("tests/fuzz/Cargo.toml")).expect("the manifest");
        let named: Vec<String> = Target::value_variants().iter().map(|target| target.name()).collect();
        let binaries: Vec<&str> =
            manifest.split("[[bin]]\nname = \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(named, binaries);
        for name in named {
            assert!(files(&repository.path(&format!("{FOLDER}/seeds/{name}"))).len() >= 5, "{name}");
        }
    }
}
