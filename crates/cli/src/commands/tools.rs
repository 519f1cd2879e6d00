//! `usher tools NAME`: lists a server's tools.

use usher_api::{Reply, Request, ServerVerb};
use usher_config::display_text;

use crate::engine::unexpected_reply;
use crate::exit::CommandError;
use crate::output::{Output, table};
use crate::paths::Paths;
use crate::session::{wait_until_connected, with_server};

/// Prints each tool's name, with its title or the first line of its description.
pub async fn run(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    with_server(paths, output, name, async |engine, id| {
        wait_until_connected(engine, id).await?;
        let Reply::Tools(tools) = engine.ask(Request::server(id, ServerVerb::Tools)).await? else {
            return Err(unexpected_reply());
        };
        output.result(&tools, || {
            if tools.is_empty() {
                return format!("{id} has no tools.");
            }
            let rows = tools.iter().map(|tool| {
                if let Some(why) = &tool.broken {
                    return vec![display_text(&tool.name, 60), format!("Cannot be used. {why}")];
                }
                let summary = tool.title.as_deref().or(tool.description.as_deref()).unwrap_or_default();
                let first_line = summary.lines().next().unwrap_or_default();
                vec![display_text(&tool.name, 60), display_text(first_line, 80)]
            });
            table(&["tool", ""], rows)
        });
        Ok(())
    })
    .await
}
