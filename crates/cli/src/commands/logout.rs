//! `usher logout NAME`.

use usher_api::{Request, ServerVerb};

use crate::arguments::Places;
use crate::exit::Failure;
use crate::output::Output;
use crate::session::with_server;

/// Signs out of one server and forgets the grant.
pub async fn run(places: &Places, output: Output, name: &str) -> Result<(), Failure> {
    with_server(places, output, name, async |engine, id| {
        engine.ask(Request::server(id, ServerVerb::SignOut)).await?;
        output.result(&serde_json::json!({ "signed_out": name }), || format!("Signed out of {id}."));
        Ok(())
    })
    .await
}
