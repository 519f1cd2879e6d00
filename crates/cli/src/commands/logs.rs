//! `usher logs NAME`: prints the last lines that a program wrote to stderr.

use usher_api::{Reply, Request, ServerVerb, ServerView};

use crate::engine::unexpected_reply;
use crate::exit::CommandError;
use crate::output::Output;
use crate::paths::Paths;
use crate::session::{blocking_error, wait_until_settled_or, with_server};

/// Prints the lines, oldest first. A program that this command starts has time to connect or to fail. If another process
/// already has lines of a program that is still starting, they are printed at once. Without any line, the reason why the
/// program does not run is an error.
pub async fn run(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    with_server(paths, output, name, async |engine, id| {
        let has_lines = |view: &ServerView| {
            let newest_line = view.program.as_ref().and_then(|program| program.newest_line.as_ref());
            engine.is_joined() && newest_line.is_some()
        };
        let view = match engine.server(id) {
            Some(view) if view.program.is_some() => Some(wait_until_settled_or(engine, id, has_lines).await?),
            Some(_) | None => None,
        };
        let Reply::Log(lines) = engine.ask(Request::server(id, ServerVerb::Log)).await? else {
            return Err(unexpected_reply());
        };
        if lines.is_empty()
            && let Some(error) = view.as_ref().and_then(blocking_error)
        {
            return Err(error.into());
        }
        output.result(&lines, || match lines.is_empty() {
            true => format!("{id} has written nothing to stderr."),
            false => lines.join("\n"),
        });
        Ok(())
    })
    .await
}
