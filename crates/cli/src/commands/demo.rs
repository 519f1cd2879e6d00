//! `usher demo`: the demo service on this machine.

use std::time::Duration;

use usher_demo::{Demo, DemoOptions};

use crate::arguments;
use crate::exit::{Failure, internal};
use crate::output::Output;

/// Runs until Ctrl-C or SIGTERM, and says at the end what was asked of its token endpoint.
pub async fn run(output: Output, arguments: &arguments::Demo) -> Result<(), Failure> {
    let options = DemoOptions {
        port: arguments.port,
        life: Duration::from_secs(arguments.ttl),
        ..DemoOptions::default()
    };
    let demo = Demo::start(options)
        .await
        .map_err(|error| internal(format!("The demo service cannot start on this machine: {error}.")))?;
    let url = demo.url().to_string();
    output.result(&serde_json::json!({ "url": url, "pid": std::process::id() }), || {
        format!("The demo runs at {url}\n\n  usher add demo {url}\n  usher login demo\n\nCtrl-C ends it.")
    });
    wait_for_the_end().await.map_err(|error| internal(format!("Cannot wait for Ctrl-C: {error}.")))?;
    let exchanges = demo.token_requests("authorization_code");
    let refreshes = demo.token_requests("refresh_token");
    demo.stop().await;
    let count = serde_json::json!({ "token_requests": { "authorization_code": exchanges, "refresh_token": refreshes } });
    output.result(&count, || format!("Ended, after {exchanges} sign-ins and {refreshes} renewals."));
    Ok(())
}

#[cfg(unix)]
async fn wait_for_the_end() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        outcome = tokio::signal::ctrl_c() => outcome,
        _ = terminate.recv() => Ok(()),
    }
}

#[cfg(not(unix))]
async fn wait_for_the_end() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
