//! `usher remove NAME`: signs out, then takes the server out of mcp.json.

use crate::arguments::Places;
use crate::engine::open_for;
use crate::exit::Failure;
use crate::output::Output;

/// Removes one server.
pub async fn run(places: &Places, output: Output, name: &str) -> Result<(), Failure> {
    let (engine, id) = open_for(places, name).await?;
    let outcome = engine.remove(&id).await;
    engine.stop().await;
    outcome?;
    output.result(&serde_json::json!({ "removed": name }), || format!("Removed {id}."));
    Ok(())
}
