//! Every check and test, as named steps: cheap ones first, all of them even when one fails, counts at the end.

use std::fs;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use clap::ValueEnum;

use crate::junit::{self, Counts};
use crate::repository::Repository;
use crate::setup::{self, Need};
use crate::summary::{Finished, Summary};
use crate::{bindings, bundle, command, leftovers, start, ui};

/// Longer than any step takes on a slow machine that builds all of it for the first time.
const STEP_DEADLINE: Duration = Duration::from_secs(40 * 60);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Step {
    /// rustfmt changes nothing
    Format,
    /// Licences, sources and banned crates of all dependencies
    Deny,
    /// The UI's type checks and tests, and its build
    Ui,
    /// Clippy finds nothing
    Clippy,
    /// The generated TypeScript is what the Rust types say
    Bindings,
    /// Unit and integration tests of every room, and the command line against a real service
    Rust,
    /// The public MCP conformance suite
    Conformance,
    /// Every screen of the pages, light and dark, wide and narrow, drawn by Chromium and searched by axe
    Screens,
    /// The app in a real window, with a real browser and keychain, and against hostile servers and links
    Window,
    /// The packages looked into; the Debian one installed, started by its desktop file and by a link, signed in, removed
    Install,
}

/// Runs the steps, all of them when none is named.
pub fn test(repository: &Repository, steps: &[Step]) -> Result<ExitCode> {
    setup::set_up(repository, Need::Test)?;
    let mut steps = if steps.is_empty() { Step::value_variants().to_vec() } else { steps.to_vec() };
    steps.sort_unstable();
    steps.dedup();
    let mut summary = Summary::default();
    for step in steps {
        let name = step.name();
        println!("\n── {name} ──");
        let started = Instant::now();
        let counts = or_failed(step.run(repository));
        leftovers::end();
        summary.push(Finished { name, counts, took: started.elapsed() });
    }
    println!("\n{summary}");
    Ok(if summary.counts().failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Step {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    fn run(self, repository: &Repository) -> Result<Counts> {
        match self {
            Self::Format => check(repository.cargo().args(["fmt", "--all", "--check"])),
            Self::Deny => {
                check(repository.command("cargo-deny").args(["check", "bans", "licenses", "sources"]))
            }
            Self::Ui => ui(repository),
            Self::Clippy => {
                ui::build_if_changed(repository)?;
                let words = ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"];
                check(repository.cargo().args(words))
            }
            Self::Bindings => bindings::check(repository).map(|()| Counts::check(true)),
            Self::Rust => {
                nextest(repository, &format!("not ({CONFORMANCE}) and not ({WINDOW}) and not ({INSTALL})"))
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

/// A command that holds or does not.
fn check(command: &mut Command) -> Result<Counts> {
    command::run(command, STEP_DEADLINE).map(|()| Counts::check(true))
}

fn ui(repository: &Repository) -> Result<Counts> {
    let report = repository.target("xtask/ui-tests.xml");
    let mut tests = repository.npm("ui");
    tests.args(["test", "--", "--reporter=default", "--reporter=junit"]);
    tests.arg(format!("--outputFile.junit={}", report.display()));
    let checked = or_failed(check(repository.npm("ui").args(["run", "check"])));
    let tested = or_failed(counted(&mut tests, &report));
    let built = or_failed(ui::build_if_changed(repository).map(|()| Counts::check(true)));
    Ok(checked + tested + built)
}

fn screens(repository: &Repository) -> Result<Counts> {
    let mut screens = repository.npm("ui");
    screens.args(["run", "screens", "--"]).arg(repository.target("screenshots/screens"));
    let mut closing = None;
    let status = command::status_and_lines(&mut screens, STEP_DEADLINE, |line| {
        closing = Counts::from_closing_line(line).or(closing);
    })?;
    let Some(counts) = closing else { bail!("{} gave no counts ({status})", command::words(&screens)) };
    Ok(counts + failed_without_a_test(status, counts))
}

/// Counts an error as a failed check, so that what comes after it is still tried.
fn or_failed(counts: Result<Counts>) -> Counts {
    counts.unwrap_or_else(|error| {
        println!("{error:#}");
        Counts::check(false)
    })
}

/// Runs the tests of a filter. Every run builds the whole workspace, so that no step builds for other features anew.
fn nextest(repository: &Repository, filter: &str) -> Result<Counts> {
    ui::build_if_changed(repository)?;
    start::build(repository)?;
    let mut nextest = repository.cargo();
    nextest.args(["nextest", "run", "--workspace", "--locked", "--no-fail-fast", "-E", filter]);
    start::with_paths(repository, &mut nextest);
    counted(&mut nextest, &repository.target("nextest/default/junit.xml"))
}

/// Packs what is built, and has the Debian package tried on this very machine.
fn install(repository: &Repository) -> Result<Counts> {
    if !cfg!(target_os = "linux") {
        bail!("the Debian package can only be tried on Debian and its kin");
    }
    ui::build_if_changed(repository)?;
    start::build(repository)?;
    bundle::packages_for_tests(repository)?;
    nextest(repository, INSTALL)
}

/// Runs a command that leaves a report behind, and counts by the report.
fn counted(command: &mut Command, report: &std::path::Path) -> Result<Counts> {
    // A report of an earlier run must not count for this one.
    let _ = fs::remove_file(report);
    let status = command::status(command, STEP_DEADLINE)?;
    let counts = match junit::read(report) {
        Ok(counts) => counts,
        Err(_) if !status.success() => bail!("{} failed ({status})", command::words(command)),
        Err(error) => return Err(error),
    };
    Ok(counts + failed_without_a_test(status, counts))
}

/// A runner that failed although none of its tests did counts as a failure of its own.
fn failed_without_a_test(status: ExitStatus, counts: Counts) -> Counts {
    if !status.success() && counts.failed == 0 { Counts::check(false) } else { Counts::default() }
}
