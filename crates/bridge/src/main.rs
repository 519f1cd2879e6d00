//! `usher-bridge`: passes the messages of an AI client to the engine, and back.
//!
//! A client starts this program instead of a server. Starting it is cheap and has no effect of its own, so a client may
//! start it twice, probe it, or kill it at once. It reads no config and no secret.
//!
//! | module | contents |
//! |---|---|
//! | `arguments` | the command line |
//! | `engine_process` | finds the engine's process, or starts one |
//! | `connection` | the socket: hello and reply |
//! | `conversation` | the client's handshake and open requests, which survive a restart of the engine |
//! | `relay` | the lines in both directions |

mod arguments;
mod connection;
mod conversation;
mod engine_process;
mod relay;

use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = arguments::parse(std::env::args_os().skip(1)).and_then(|arguments| match arguments {
        arguments::Arguments::Bridge(hello) => relay::run(&hello),
        arguments::Arguments::Help => {
            print!("{}", arguments::HELP);
            Ok(())
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("usher-bridge: {error}");
            ExitCode::FAILURE
        }
    }
}
