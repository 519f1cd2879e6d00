//! The measuring program of `cargo xtask bench`: one command for each subject. Each prints its measurements as JSON.
//!
//! One program for all, because linking it with all optimisations takes as long as linking one of nine.

mod calls;
mod command_time;
mod fleet;
mod hostile_load;
mod hostile_servers;
mod large_lists;
mod program_start;
mod server_memory;
mod small_program;
mod tls_server;
mod tool_call;
mod tray_memory;
mod wire_count;

use std::process::Command;
use std::time::Instant;

use anyhow::Result;
use clap::Parser;

/// Measures one subject, and prints JSON.
#[derive(Parser)]
enum Subject {
    /// The command `usher tools` as a whole process
    CommandTime(command_time::Arguments),
    /// Many services and many callers
    Fleet(fleet::Arguments),
    /// The memory and time that hostile servers cost
    HostileLoad(hostile_load::Arguments),
    /// The window with many tools and with the worst descriptions
    LargeLists(large_lists::Arguments),
    /// The start of a program
    ProgramStart(program_start::Arguments),
    /// The memory of a connected server
    ServerMemory(server_memory::Arguments),
    /// Tool calls through the engine and through its socket
    ToolCall(tool_call::Arguments),
    /// The memory of the app in the tray
    TrayMemory(tray_memory::Arguments),
    /// The requests of a sign-in
    WireCount,
}

#[tokio::main]
async fn main() -> Result<()> {
    match Subject::parse() {
        Subject::CommandTime(arguments) => command_time::run(arguments).await,
        Subject::Fleet(arguments) => fleet::run(arguments).await,
        Subject::HostileLoad(arguments) => hostile_load::run(arguments).await,
        Subject::LargeLists(arguments) => large_lists::run(arguments).await,
        Subject::ProgramStart(arguments) => program_start::run(arguments).await,
        Subject::ServerMemory(arguments) => server_memory::run(arguments).await,
        Subject::ToolCall(arguments) => tool_call::run(arguments).await,
        Subject::TrayMemory(arguments) => tray_memory::run(arguments).await,
        Subject::WireCount => wire_count::run().await,
    }
}

/// A further process of this program, in another role.
fn this_program(arguments: &[&str]) -> Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments);
    Ok(command)
}

/// The milliseconds since a moment.
fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}
