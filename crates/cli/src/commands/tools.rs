//! `usher tools NAME`.

use usher_api::{Reply, Request, ServerVerb};
use usher_config::display_text;

use crate::arguments::Places;
use crate::engine::unexpected;
use crate::exit::Failure;
use crate::output::{Output, table};
use crate::session::{connected, with_server};

/// Lists the tools of one server.
pub async fn run(places: &Places, output: Output, name: &str) -> Result<(), Failure> {
    with_server(places, output, name, async |engine, id| {
        connected(engine, id).await?;
        let Reply::Tools(tools) = engine.ask(Request::server(id, ServerVerb::Tools)).await? else {
            return Err(unexpected());
        };
        output.result(&tools, || {
            if tools.is_empty() {
                return format!("{id} has no tools.");
            }
            let rows = tools.iter().map(|tool| {
                let words = tool.title.as_deref().or(tool.description.as_deref()).unwrap_or_default();
                let first_line = words.lines().next().unwrap_or_default();
                vec![display_text(&tool.name, 60), display_text(first_line, 80)]
            });
            table(&["tool", ""], rows)
        });
        Ok(())
    })
    .await
}
