//! `usher tools NAME`.

use usher_config::display_text;

use crate::arguments::Places;
use crate::engine::{connected, open_for};
use crate::exit::Failure;
use crate::output::{Output, table};

/// Lists the tools of one server.
pub async fn run(places: &Places, output: Output, name: &str) -> Result<(), Failure> {
    let (engine, id) = open_for(places, name).await?;
    let tools = match connected(&engine, &id).await {
        Ok(_) => engine.tools(&id).await.map_err(Failure::from),
        Err(failure) => Err(failure),
    };
    engine.stop().await;
    let tools = tools?;
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
}
