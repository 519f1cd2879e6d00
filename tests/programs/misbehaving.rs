//! Programs that end, write too much, answer nothing or misuse their streams.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, json};
use usher_api::{Code, Status};
use usher_engine::CallOptions;

use crate::{Person, id, tool};

#[tokio::test]
async fn a_program_that_ends_at_once_fails_with_its_last_lines() -> Result<()> {
    let person = Person::approved(&tool("ends")).await?;
    let mut seen = BTreeSet::new();
    let view = loop {
        let view = person
            .until(|view| match &view.status {
                Status::Reconnecting { next_at, .. } => !seen.contains(next_at),
                status => matches!(status, Status::Failed { .. }),
            })
            .await?;
        let Status::Reconnecting { next_at, .. } = view.status else { break view };
        seen.insert(next_at);
        // Ends the backoff.
        person.engine.reconnect_all();
    };
    ensure!(seen.len() + 1 == usher_budgets::QUICK_EXITS as usize, "{} attempts", seen.len() + 1);
    ensure!(person.engine.log(&id()).await? == ["Traceback: no key"]);
    let Status::Failed { error } = view.status else { unreachable!("failed") };
    ensure!(error.code == Code::ProcessExited, "{error:?}");
    ensure!(
        error.message.contains("exit code 3") && error.message.contains("Traceback: no key"),
        "{error:?}"
    );
    ensure!(error.details.as_deref() == Some("Traceback: no key"), "{error:?}");
    // The person can try again.
    person.engine.connect(&id()).await?;
    person.until(|view| matches!(view.status, Status::Reconnecting { .. })).await?;
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_missing_program_fails_without_a_retry() -> Result<()> {
    let person = Person::approved(&json!({ "command": "no-such-program-of-usher" })).await?;
    let view = person.until(|view| matches!(view.status, Status::Failed { .. })).await?;
    let Status::Failed { error } = view.status else { unreachable!("failed") };
    ensure!(error.code == Code::ConfigInvalid && error.message.contains("was not found"), "{error:?}");
    person.engine.stop().await;

    let person = Person::approved(&tool("missing")).await?;
    let view = person.until(|view| matches!(view.status, Status::Failed { .. })).await?;
    let Status::Failed { error } = view.status else { unreachable!("failed") };
    ensure!(error.code == Code::ProcessExited && error.message.contains("127"), "{error:?}");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_program_that_ends_later_is_started_again() -> Result<()> {
    let person = Person::approved(&tool("quiet")).await?;
    person.until_connected().await?;
    let first = person.pid().await?;
    let ended = person.engine.call_tool(&id(), "end", Map::new(), CallOptions::new("end")).await;
    let error = ended.err().context("the call succeeds")?;
    ensure!(error.code == Code::ProcessExited && error.message.contains("ended on request"), "{error:?}");
    person.until(|view| matches!(view.status, Status::Reconnecting { .. })).await?;
    person.until_connected().await?;
    ensure!(person.pid().await? != first);
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_flood_on_stderr_disturbs_nothing() -> Result<()> {
    let person = Person::approved(&tool("flood")).await?;
    person.until_connected().await?;
    let view = person
        .until(|view| view.program.as_ref().is_some_and(|program| program.newest_line.is_some()))
        .await?;
    let line = view.program.and_then(|program| program.newest_line);
    ensure!(line.as_deref() == Some("a line of the log, again and again and again"), "{line:?}");
    let log = person.engine.log(&id()).await?;
    ensure!(log.len() <= usher_budgets::OUTPUT_LINES && log.last() == line.as_ref(), "{log:?}");
    for _ in 0..20 {
        person.pid().await?;
    }
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_program_that_never_answers_is_ended_at_the_deadline() -> Result<()> {
    let person = Person::with(&tool("silent"), |options| usher_engine::EngineOptions {
        connect_timeout: Duration::from_secs(1),
        ..options
    })
    .await?;
    person.approve().await?;
    let view = person.until(|view| matches!(view.status, Status::Reconnecting { .. })).await?;
    let Status::Reconnecting { why, .. } = view.status else { unreachable!("reconnecting") };
    ensure!(why.code == Code::ServerUnreachable && why.message.contains("2 seconds"), "{why:?}");
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn logs_on_stdout_and_a_server_that_ignores_discovery_are_tolerated() -> Result<()> {
    for argument in ["chatty", "deaf"] {
        let person = Person::approved(&tool(argument)).await?;
        person.until_connected().await.context(argument)?;
        person.pid().await?;
        person.engine.stop().await;
    }
    Ok(())
}

#[tokio::test]
async fn a_program_gets_few_variables_and_runs_in_its_folder() -> Result<()> {
    let person = Person::approved(&tool("quiet")).await?;
    person.until_connected().await?;
    let home = std::env::home_dir().context("no home folder")?;
    let shown = person.show().await?;
    ensure!(shown[1..] == [home.display().to_string(), "none".to_owned(), "none".to_owned()], "{shown:?}");
    person.engine.stop().await;
    Ok(())
}
