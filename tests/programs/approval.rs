//! A program runs only after the person has approved exactly this entry.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use usher_api::{Code, ServerView, Status, Want};
use usher_tests::wait::until_ready;

use crate::{Person, config, id, tool};

fn waits(view: &ServerView) -> bool {
    view.wants == Some(Want::Approve)
}

/// An entry that writes a file if it runs.
fn canary(file: &std::path::Path) -> Value {
    json!({ "command": "/bin/sh", "args": ["-c", format!("touch '{}'; exec cat", file.display())] })
}

#[tokio::test]
async fn a_program_does_not_run_before_it_is_approved() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("canary");
    let person = Person::new(&canary(&file)).await?;
    let view = person.until(waits).await?;
    let Status::Failed { error } = &view.status else { panic!("{view:?}") };
    ensure!(error.code == Code::ApprovalNeeded, "{error:?}");
    // Neither a call, nor a connection, nor the approval of another digest starts it.
    person.engine.connect(&id()).await?;
    person.until(waits).await?;
    let wrong = person.engine.approve(&id(), "0".repeat(64)).await;
    ensure!(wrong.is_err_and(|error| error.code == Code::ApprovalNeeded));
    ensure!(person.engine.tools(&id()).await.is_err_and(|error| error.code == Code::ApprovalNeeded));
    ensure!(!file.exists(), "the program ran");
    person.approve().await?;
    // A file sends no event, so it is polled.
    until_ready("the program to run", || Ok(file.exists().then_some(()))).await?;
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_changed_entry_does_not_run_before_it_is_approved_again() -> Result<()> {
    let person = Person::approved(&tool("quiet")).await?;
    person.until_connected().await?;
    let running = person.pid().await?;
    let file = person.path("canary");
    let changes: [Value; 4] = [
        canary(&file),
        json!({ "command": format!("{}/tool.sh", crate::FOLDER), "args": ["quiet", "more"] }),
        json!({ "command": format!("{}/tool.sh", crate::FOLDER), "args": ["quiet"], "env": { "ENV": "x" } }),
        json!({ "command": format!("{}/tool.sh", crate::FOLDER), "args": ["quiet"], "cwd": "/" }),
    ];
    let mut seen = Vec::new();
    for changed in changes {
        std::fs::write(person.path("mcp.json"), config(&changed))?;
        // The view of the previous change waits, too.
        let is_new = |view: &ServerView| {
            waits(view) && view.program.as_ref().is_some_and(|program| !seen.contains(&program.launch.digest))
        };
        let view = person.until(is_new).await.with_context(|| changed.to_string())?;
        let program = view.program.context("not a program")?;
        seen.push(program.launch.digest.clone());
        let earlier = program.earlier.context("the earlier launch is not shown")?;
        ensure!(earlier.arguments == ["quiet"] && earlier.digest != program.launch.digest);
        crate::until_gone(running).await?;
    }
    ensure!(!file.exists(), "the changed program ran");
    // The entry that was approved runs again at once.
    std::fs::write(person.path("mcp.json"), config(&tool("quiet")))?;
    person.until_connected().await?;
    person.engine.stop().await;
    Ok(())
}

#[tokio::test]
async fn only_an_approved_program_gets_a_secret_and_usher_never_shows_it() -> Result<()> {
    let mut entry = tool("quiet");
    entry["env"] = json!({ "KEY": "{{tool_key}}" });
    let person = Person::new(&entry).await?;
    person.engine.set_secret("tool_key", "a-secret-value".into()).await?;
    let view = person.until(waits).await?;
    ensure!(view.program.context("a program")?.launch.placeholders == ["{{tool_key}}"]);
    person.approve().await?;
    person.until_connected().await?;
    let shown = person.show().await?;
    ensure!(shown.get(2).map(String::as_str) == Some("a-secret-value"), "{shown:?}");
    let state = std::fs::read_dir(person.path("state"))?;
    for file in state {
        let text = std::fs::read(file?.path()).unwrap_or_default();
        ensure!(!String::from_utf8_lossy(&text).contains("a-secret-value"));
    }
    ensure!(!serde_json::to_string(&person.engine.snapshot())?.contains("a-secret-value"));
    person.engine.stop().await;
    Ok(())
}
