//! `usher remove NAME`: signs out, then takes the server out of mcp.json.

use usher_api::{Request, ServerVerb};

use crate::arguments::Places;
use crate::exit::Failure;
use crate::output::Output;
use crate::session::with_server;

/// Removes one server.
pub async fn run(places: &Places, output: Output, name: &str) -> Result<(), Failure> {
    with_server(places, output, name, async |engine, id| {
        engine.ask(Request::server(id, ServerVerb::Remove)).await?;
        output.result(&serde_json::json!({ "removed": name }), || format!("Removed {id}."));
        Ok(())
    })
    .await
}
