//! `usher logout NAME`.

use crate::arguments::Places;
use crate::engine::open_for;
use crate::exit::Failure;
use crate::output::Output;

/// Signs out of one server and forgets the grant.
pub async fn run(places: &Places, output: Output, name: &str) -> Result<(), Failure> {
    let (engine, id) = open_for(places, name).await?;
    let outcome = engine.sign_out(&id).await;
    engine.stop().await;
    outcome?;
    output.result(&serde_json::json!({ "signed_out": name }), || format!("Signed out of {id}."));
    Ok(())
}
