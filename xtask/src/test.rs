//! `cargo xtask test`: every check and test as named steps, the quickest first. A failed step does not stop the others.

use std::fs;
use std::process::{Command, ExitCode, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::junit::{self, Counts};
use crate::repository::Repository;
use crate::setup::{self, Purpose};
use crate::summary::{StepResult, Summary};
use crate::{bindings, bundle, command, leftovers, start, ui};

/// More time than any step takes, including a first build on a slow machine.
const STEP_DEADLINE: Duration = Duration::from_secs(40 * 60);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Step {
    /// rustfmt changes nothing
    Format,
    /// Licences, sources and banned crates of all dependencies
    Deny,
    /// Type checks, tests and build of the UI
    Ui,
    /// Every crate and test builds, and Clippy reports nothing
    Clippy,
    /// The generated TypeScript matches the Rust types
    Bindings,
    /// Unit and integration tests of every crate, and the command line against a real service
    Rust,
    /// The public MCP conformance suite
    Conformance,
    /// Every screen of the UI in Chromium, light and dark, wide and narrow, checked by axe
    Screens,
    /// The app in a real window, with a real browser and keychain, also against hostile servers and links
    Window,
    /// The contents of the packages; installing the Debian package, starting it, signing in and removing it
    Install,
}

/// Runs the named steps, or all of them.
pub fn test(repository: &Repository, steps: &[Step]) -> Result<ExitCode> {
    setup::set_up(repository, Purpose::Test)?;
    let repository = &repository.with_clippy();
    let mut steps = if steps.is_empty() { Step::value_variants().to_vec() } else { steps.to_vec() };
    steps.sort_unstable();
    steps.dedup();
    let mut summary = Summary::default();
    for together in steps.chunk_by(|step, next| (*step, *next) == (Step::Ui, Step::Clippy)) {
        let names: Vec<_> = together.iter().map(|step| step.name()).collect();
        println!("\n── {} ──", names.join(", "));
        for result in run_together(repository, together) {
            summary.push(result);
        }
        leftovers::end();
    }
    println!("\n{summary}");
    Ok(if summary.counts().failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs steps at the same time. The tests of the UI leave a part of the machine idle, which the compiler uses.
fn run_together(repository: &Repository, steps: &[Step]) -> Vec<StepResult> {
    // Each of several steps would build the UI at first. A failure is reported by the steps.
    if steps.len() > 1 {
        let _ = ui::build_if_changed(repository);
    }
    let run = |step: Step| {
        let started = Instant::now();
        let counts = count_errors(step.run(repository));
        StepResult { name: step.name(), counts, elapsed: started.elapsed() }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = steps.iter().map(|step| (step, scope.spawn(|| run(*step)))).collect();
        let results = threads.into_iter().map(|(step, thread)| {
            let panicked =
                |_| StepResult { name: step.name(), counts: Counts::check(false), elapsed: Duration::ZERO };
            thread.join().unwrap_or_else(panicked)
        });
        results.collect()
    })
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn run(self, repository: &Repository) -> Result<Counts> {
        match self {
            Self::Format => check(repository.cargo().args(["fmt", "--all", "--check"])),
            Self::Deny => check(repository.command("cargo-deny").args([
                "check",
                "--hide-inclusion-graph",
                "bans",
                "licenses",
                "sources",
            ])),
            Self::Ui => ui(repository),
            Self::Clippy => build(repository).map(|()| Counts::check(true)),
            Self::Bindings => bindings::check(repository).map(|()| Counts::check(true)),
            Self::Rust => {
                let filter = format!("not ({CONFORMANCE}) and not ({WINDOW}) and not ({INSTALL})");
                // nextest does not run the examples in the documentation.
                let examples = ["test", "--doc", "--workspace", "--locked", "--quiet"];
                Ok(count_errors(nextest(repository, &filter))
                    + count_errors(check(repository.cargo().args(examples))))
            }
            Self::Conformance => nextest(repository, CONFORMANCE),
            Self::Screens => screens(repository),
            Self::Window => nextest(repository, WINDOW),
            Self::Install => install(repository),
        }
    }
}

const CONFORMANCE: &str = "package(usher-tests) and binary(conformance)";
const WINDOW: &str = "package(usher-tests) and (binary(desktop) or binary(hostile))";

const INSTALL: &str = "package(usher-tests) and binary(install)";

/// Runs a command that counts as one check.
fn check(command: &mut Command) -> Result<Counts> {
    command::run(command, STEP_DEADLINE).map(|()| Counts::check(true))
}

fn ui(repository: &Repository) -> Result<Counts> {
    // The build compiles the messages. The check and the tests run at the same time, so neither may still have to write
    // the messages while the other reads them.
    let built = count_errors(ui::build_if_changed(repository).map(|()| Counts::check(true)));
    let report = repository.target("xtask/ui-tests.xml");
    let mut tests = repository.npm("ui");
    tests.args(["test", "--", "--reporter=default", "--reporter=junit"]);
    tests.arg(format!("--outputFile.junit={}", report.display()));
    thread::scope(|scope| {
        let checked = scope.spawn(|| count_errors(check(repository.npm("ui").args(["run", "check"]))));
        let tested = count_errors(counted(&mut tests, &report));
        Ok(built + tested + checked.join().unwrap_or(Counts::check(false)))
    })
}

fn screens(repository: &Repository) -> Result<Counts> {
    let mut screens = repository.npm("ui");
    screens.args(["run", "screens", "--"]).arg(repository.target("screenshots/screens"));
    let mut last = None;
    let status = command::status_and_lines(&mut screens, STEP_DEADLINE, |line| {
        last = Counts::from_last_line(line).or(last);
    })?;
    let Some(counts) = last else { bail!("{} printed no counts ({status})", command::display(&screens)) };
    Ok(counts + runner_failure(status, counts))
}

/// Prints an error and counts it as a failed check, so that the remaining checks still run.
fn count_errors(counts: Result<Counts>) -> Counts {
    counts.unwrap_or_else(|error| {
        println!("{error:#}");
        Counts::check(false)
    })
}

/// Builds every program and test of the workspace. Each step that needs a build builds all of them. Building only
/// a part of the workspace can select other features of the dependencies, which would then be built once more.
fn build(repository: &Repository) -> Result<()> {
    ui::build_if_changed(repository)?;
    let mut build = repository.cargo();
    // `--all-targets` would also build a test of each program that has none (`test = false`).
    let targets = ["--lib", "--bins", "--examples", "--tests"];
    build.args(["build", "--workspace", "--locked"]).args(targets);
    command::run(&mut build, start::BUILD_DEADLINE)
}

/// Runs the tests of a filter.
fn nextest(repository: &Repository, filter: &str) -> Result<Counts> {
    build(repository)?;
    let mut nextest = repository.cargo();
    nextest.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "-E", filter]);
    counted(&mut nextest, &repository.target("nextest/default/junit.xml"))
}

/// Packages the debug builds and runs the package tests, which install the Debian package on this machine.
fn install(repository: &Repository) -> Result<Counts> {
    if !cfg!(target_os = "linux") {
        bail!("the Debian package can only be tested on Debian or a system based on it");
    }
    build(repository)?;
    bundle::packages_for_tests(repository)?;
    nextest(repository, INSTALL)
}

/// Runs a command that writes a JUnit report, and reads the counts from it.
fn counted(command: &mut Command, report: &std::path::Path) -> Result<Counts> {
    // The report of an earlier run must not be counted.
    let _ = fs::remove_file(report);
    let status = command::status(command, STEP_DEADLINE)?;
    let counts = match junit::read(report) {
        Ok(counts) => counts,
        Err(_) if !status.success() => bail!("{} failed ({status})", command::display(command)),
        Err(error) => return Err(error),
    };
    Ok(counts + runner_failure(status, counts))
}

/// Returns one failed check if the runner failed although no test failed.
fn runner_failure(status: ExitStatus, counts: Counts) -> Counts {
    if !status.success() && counts.failed == 0 { Counts::check(false) } else { Counts::default() }
}
