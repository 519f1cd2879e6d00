//! `cargo xtask`: the command line of the tasks. The tasks are in the modules.

mod bench;
mod bindings;
mod bundle;
mod command;
mod faults;
mod fuzz;
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
use crate::setup::Purpose;

#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", about = "Usher's development tasks")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what is missing on this machine
    Setup {
        /// The task to prepare the machine for
        #[arg(value_enum, default_value_t = Purpose::Test)]
        purpose: Purpose,
    },
    /// Build Usher and open it; without a display, run the demo sign-in and take screenshots
    Start {
        /// Wait until Usher quits, instead of returning once its window is open
        #[arg(long)]
        stay: bool,
    },
    /// Run every check and test, or only the named steps
    Test {
        /// Steps to run; they always run in the order listed here
        #[arg(value_enum)]
        steps: Vec<test::Step>,
    },
    /// Measure release builds: start time, memory, requests, the speed of the engine, and sizes
    Bench(bench::Arguments),
    /// Run one idle engine with 20 sign-ins whose tokens expire after one minute
    Soak(soak::Arguments),
    /// Kill the engine and make its token endpoint fail, thousands of times
    Faults(faults::Arguments),
    /// Fuzz the parsers of untrusted input, until the first crash
    Fuzz(fuzz::Arguments),
    /// Build the packages that people install, from release builds
    Bundle(bundle::Arguments),
    /// Generate the TypeScript types of the app's commands and events
    Bindings,
    /// Render every icon from the drawings in icons/
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
        Task::Setup { purpose } => {
            setup::set_up(&repository, purpose)?;
            println!("setup: everything is installed");
            Ok(ExitCode::SUCCESS)
        }
        Task::Start { stay } => start::start(&repository, stay).map(|()| ExitCode::SUCCESS),
        Task::Test { steps } => test::test(&repository, &steps),
        Task::Bench(arguments) => bench::bench(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Soak(arguments) => soak::soak(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Faults(arguments) => faults::faults(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Fuzz(arguments) => fuzz::fuzz(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Bundle(arguments) => bundle::bundle(&repository, &arguments).map(|()| ExitCode::SUCCESS),
        Task::Bindings => bindings::write(&repository).map(|()| ExitCode::SUCCESS),
        Task::Icons => icons::draw(&repository).map(|()| ExitCode::SUCCESS),
    }
}
