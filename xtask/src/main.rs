//! `cargo xtask`: sets the machine up, opens the app, runs every test, measures. Wires; the work is in the modules.

mod bench;
mod bindings;
mod bundle;
mod command;
mod faults;
mod icons;
mod junit;
mod leftovers;
mod repository;
mod setup;
mod soak;
mod start;
mod summary;
mod test;
mod ui;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::repository::Repository;
use crate::setup::Need;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Usher's workbench")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing on this machine
    Setup {
        /// What it is wanted for
        #[arg(value_enum, default_value_t = Need::Test)]
        need: Need,
    },
    /// Build Usher and open it; without a display, walk through the demo sign-in and take pictures
    Start {
        /// Stay until the window is closed, instead of returning once it is open
        #[arg(long)]
        stay: bool,
    },
    /// Run every check and test, or only the named steps
    Test {
        /// Steps to run, in the order in which they stand in the list
        #[arg(value_enum)]
        steps: Vec<test::Step>,
    },
    /// Measure the window, the wire and the sizes on release builds
    Bench(bench::Arguments),
    /// Leave one engine with twenty short-lived sign-ins to itself, and watch it from outside
    Soak(soak::Arguments),
    /// Kill the engine and break the token endpoint under it, a great many times
    Faults(faults::Arguments),
    /// Make the packages that a person installs, from release builds
    Bundle(bundle::Arguments),
    /// Write the TypeScript side of the shell's commands and events
    Bindings,
    /// Make every icon anew from the drawings in icons/
    Icons,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(arguments.task) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> anyhow::Result<ExitCode> {
    let repository = Repository::find()?;
    leftovers::adopt_orphans();
    match task {
        Task::Setup { need } => {
            setup::set_up(&repository, need)?;
            println!("setup: everything is there");
            Ok(ExitCode::SUCCESS)
        }
        Task::Start { stay } => start::start(&repository, stay).map(|()| ExitCode::SUCCESS),
        Task::Test { steps } => test::test(&repository, &steps),
        Task::Bench(arguments) => bench::bench(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Soak(arguments) => soak::soak(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Faults(arguments) => faults::faults(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Bundle(arguments) => bundle::bundle(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Bindings => bindings::write(&repository).map(|()| ExitCode::SUCCESS),
        Task::Icons => icons::draw(&repository).map(|()| ExitCode::SUCCESS),
    }
}
