//! `usher demo`: runs the demo service on this computer.

use std::time::Duration;

use usher_demo::{Demo, DemoOptions};

use crate::arguments;
use crate::exit::{CommandError, internal};
use crate::output::Output;
use crate::termination::termination;

/// Runs until Ctrl-C or SIGTERM, then prints how many requests the token endpoint received.
pub async fn run(output: Output, arguments: &arguments::Demo) -> Result<(), CommandError> {
    let options = DemoOptions {
        port: arguments.port,
        access_token_lifetime: Duration::from_secs(arguments.ttl),
        ..DemoOptions::default()
    };
    let demo = Demo::start(options)
        .await
        .map_err(|error| internal(format!("Could not start the Usher demo: {error}.")))?;
    let url = demo.url().to_string();
    output.result(&serde_json::json!({ "url": url, "pid": std::process::id() }), || {
        format!("The Usher demo is running at {url}\n\n  usher add demo {url}\n  usher login demo\n\nPress Ctrl-C to stop it.")
    });
    termination().await.map_err(|error| internal(format!("Could not wait for Ctrl-C: {error}.")))?;
    let exchanges = demo.token_requests("authorization_code");
    let refreshes = demo.token_requests("refresh_token");
    demo.stop().await;
    let count = serde_json::json!({ "token_requests": { "authorization_code": exchanges, "refresh_token": refreshes } });
    output.result(&count, || format!("Stopped. Sign-ins: {exchanges}, token refreshes: {refreshes}."));
    Ok(())
}
