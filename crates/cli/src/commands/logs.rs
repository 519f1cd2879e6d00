//! `usher logs NAME`: prints the last lines that a program wrote to stderr.

use usher_api::{Reply, Request, ServerVerb};

use crate::engine::unexpected_reply;
use crate::exit::CommandError;
use crate::output::Output;
use crate::paths::Paths;
use crate::session::{wait_until_settled, with_server};

/// Prints the lines, oldest first. A program that this command starts has time to connect or to fail.
pub async fn run(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    with_server(paths, output, name, async |engine, id| {
        if engine.server(id).is_some_and(|view| view.program.is_some()) {
            wait_until_settled(engine, id).await?;
        }
        let Reply::Log(lines) = engine.ask(Request::server(id, ServerVerb::Log)).await? else {
            return Err(unexpected_reply());
        };
        output.result(&lines, || match lines.is_empty() {
            true => format!("{id} has written nothing to stderr."),
            false => lines.join("\n"),
        });
        Ok(())
    })
    .await
}
