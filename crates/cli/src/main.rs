//! The command `usher`: the same servers and sign-ins as in the app.
//!
//! A command starts the engine in its own process, or joins the process that holds it.
//!
//! | module | contents |
//! |---|---|
//! | `arguments`, `paths` | the command line, and the paths that it selects |
//! | `commands` | one file for each command; `commands/server.rs` for the commands whose only argument is a server |
//! | `engine` | the connection to the engine, which continues when another process becomes the holder |
//! | `session` | one command's work with the engine |
//! | `output`, `exit` | results, errors and exit codes |
//!
//! ```console
//! $ usher add notion https://mcp.notion.com/mcp
//! $ usher login notion
//! $ usher tools notion
//! ```

mod arguments;
mod commands;
mod engine;
mod exit;
mod output;
mod paths;
mod qr_code;
mod session;
mod termination;

use std::process::ExitCode;

use clap::Parser;
use usher_config::DisplayWriter;

use arguments::{Arguments, Command};
use exit::CommandError;
use output::Output;

fn main() -> ExitCode {
    usher_secrets::forbid_core_dumps();
    let arguments = Arguments::parse();
    start_log(arguments.verbose);
    let output = Output { json: arguments.json };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output.fail(&exit::internal(format!("Could not start: {error}."))),
    };
    let outcome = runtime.block_on(run(&arguments, output));
    // Does not wait for a keychain prompt that is still open.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output.fail(&error),
    }
}

async fn run(arguments: &Arguments, output: Output) -> Result<(), CommandError> {
    let paths = &arguments.paths;
    match &arguments.command {
        Command::List => commands::list::run(paths, output).await,
        Command::Add(add) => commands::add::run(paths, output, add).await,
        Command::Login(login) => commands::login::run(paths, output, login).await,
        Command::Server(command) => commands::server::run(paths, output, command).await,
        Command::Approve(server) => commands::approve::run(paths, output, &server.name).await,
        Command::Status(status) => commands::status::run(paths, output, status.name.as_deref()).await,
        Command::Tools(server) => commands::tools::run(paths, output, &server.name).await,
        Command::Logs(server) => commands::logs::run(paths, output, &server.name).await,
        Command::Call(call) => commands::call::run(paths, output, call).await,
        Command::Bridge(bridge) => commands::bridge::run(paths, bridge),
        Command::Serve => commands::serve::run(paths, output).await,
        Command::Config { command } => commands::config::run(paths, output, command).await,
        Command::Secret { command } => commands::secret::run(paths, output, command).await,
        Command::Demo(demo) => commands::demo::run(output, demo).await,
        Command::Completions { shell } => {
            commands::completions::run(*shell);
            Ok(())
        }
        Command::Man { folder } => commands::man::run(folder),
    }
}

/// Logs Usher's own warnings to stderr. `-v` adds its debug messages, and warnings of the dependencies. Their debug
/// messages can contain codes and tokens. rmcp's worker is silent, because Usher itself reports refused connections.
fn start_log(verbose: bool) {
    let filter = if verbose { "warn,rmcp::transport::worker=off,usher=debug" } else { "off,usher=warn" };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(|| DisplayWriter(std::io::stderr()))
        .without_time()
        .init();
}
