//! `usher serve`: runs the engine for AI clients, without a window.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use usher_engine::StartError;
use usher_ipc::{Access, Holder, HolderKind, Server};

use crate::engine::decline_unrelated_questions;
use crate::exit::{CommandError, internal};
use crate::output::Output;
use crate::paths::Paths;
use crate::termination::termination;

/// How long the command waits for another client after the last one.
const IDLE_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// Runs until no client has been connected for five minutes, the app starts, or a signal ends it.
pub async fn run(paths: &Paths, output: Output) -> Result<(), CommandError> {
    let options = paths.engine_options(Some(Vec::new()));
    let started = Access::hold(&options, HolderKind::Serve, |_| {
        output.note("Waiting for another `usher` command.");
    });
    let engine = match started.await {
        Ok(engine) => engine,
        Err(StartError::Held { .. }) => {
            output.note("Usher is already running.");
            return Ok(());
        }
        Err(StartError::Failed(error)) => return Err(error.into()),
    };
    // Nobody can answer here. The AI client gets the refusal.
    decline_unrelated_questions(&engine, Arc::default());
    let yielded = Arc::new(Notify::new());
    let yield_now = Arc::clone(&yielded);
    let holder = Holder::Serve { yield_now: Box::new(move || yield_now.notify_one()) };
    let server = Server::start(engine.clone(), holder)
        .map_err(|error| internal(format!("Could not open the socket: {error}.")))?;
    output.note("Usher is running for AI clients. It ends five minutes after the last one.");
    tokio::select! {
        () = server.idle(IDLE_DEADLINE) => {}
        () = yielded.notified() => {}
        ended = termination() => ended.map_err(|error| internal(format!("Could not wait for Ctrl-C: {error}.")))?,
    }
    server.finish().await;
    engine.revocations_ended().await;
    engine.stop().await;
    Ok(())
}
