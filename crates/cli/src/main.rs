//! `usher`: the same sign-ins as the window, for the terminal and for scripts.

mod arguments;
mod commands;
mod engine;
mod exit;
mod output;
mod session;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use output::Output;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    start_log(arguments.verbose);
    let output = Output::new(arguments.json);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&exit::internal(format!("Cannot start: {error}"))),
    };
    let outcome = runtime.block_on(run(&arguments, output));
    // A keychain that shows its prompt for ever must not keep the command alive.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.fail(&error),
    }
}

async fn run(arguments: &Arguments, output: Output) -> Result<(), exit::Failure> {
    let places = &arguments.places;
    match &arguments.command {
        Command::List => commands::list::run(places, output).await,
        Command::Add(add) => commands::add::run(places, output, add).await,
        Command::Remove(server) => commands::remove::run(places, output, &server.name).await,
        Command::Enable(server) => commands::enable::run(places, output, &server.name, true).await,
        Command::Disable(server) => commands::enable::run(places, output, &server.name, false).await,
        Command::Login(login) => commands::login::run(places, output, login).await,
        Command::Logout(server) => commands::logout::run(places, output, &server.name).await,
        Command::Status(status) => commands::status::run(places, output, status.name.as_deref()).await,
        Command::Tools(server) => commands::tools::run(places, output, &server.name).await,
        Command::Call(call) => commands::call::run(places, output, call).await,
        Command::Config { command } => commands::config::run(places, output, command).await,
        Command::Secret { command } => commands::secret::run(places, output, command).await,
        Command::Demo(demo) => commands::demo::run(output, demo).await,
        Command::Completions { shell } => {
            commands::completions::run(*shell);
            Ok(())
        }
        Command::Man { folder } => commands::man::run(folder),
    }
}

/// Warnings go to standard error; `-v` shows our own steps. Dependencies stay at WARN, for some print codes and
/// tokens below it; rmcp's worker calls every refused connection an error, which is ours to tell.
fn start_log(verbose: bool) {
    let ours = if verbose { "debug" } else { "warn" };
    let filter = ["usher", "usher_engine", "usher_oauth", "usher_secrets", "usher_config", "usher_demo"]
        .iter()
        .fold(String::from("warn,rmcp::transport::worker=off"), |filter, room| {
            format!("{filter},{room}={ours}")
        });
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).without_time().init();
}
