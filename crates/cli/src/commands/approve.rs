//! `usher approve NAME`: shows the command of a local program, and approves it.

use serde_json::json;
use usher_api::{Code, ErrorView, LaunchView, ProgramView, Request, ServerId};
use usher_config::display_text;

use crate::engine::Handle;
use crate::exit::{CommandError, usage_error};
use crate::output::{Output, confirm, is_interactive};
use crate::paths::Paths;
use crate::session::{wait_until_settled, with_server};

/// Asks the person at the terminal. A script cannot approve a program.
pub async fn run(paths: &Paths, output: Output, name: &str) -> Result<(), CommandError> {
    with_server(paths, output, name, async |engine, id| {
        let program = program_of(engine, id)?;
        let shown = display_text(name, 80);
        if program.is_approved {
            output.result(&json!({ "approved": name }), || format!("{shown} is already approved."));
            return Ok(());
        }
        if !is_interactive() || output.json {
            return Err(usage_error(
                "Only a person at a terminal can approve a program.",
                format!("Run `usher approve {shown}` in a terminal, or open {shown} in Usher's window."),
            ));
        }
        output.note(&question(&program));
        if !confirm("Approve this program?", false)? {
            let (message, hint) = ("Nothing was approved.", "The program does not run.");
            return Err(ErrorView::new(Code::AuthorizationDenied, message, hint).into());
        }
        approve(engine, output, id, program.launch.digest).await?;
        output.result(&json!({ "approved": name }), || {
            format!("Approved. Run `usher tools {shown}` to see its tools.")
        });
        Ok(())
    })
    .await
}

/// Approves the launch with this digest, which the person has seen or entered.
pub async fn approve(
    engine: &Handle,
    output: Output,
    id: &ServerId,
    digest: String,
) -> Result<(), CommandError> {
    engine.ask(Request::Approve { server: id.clone(), digest }).await?;
    output.note(&format!("Starting {}…", display_text(&id.0, 80)));
    // The program has started. The end of this command would interrupt a download, which some runners cannot repair.
    wait_until_settled(engine, id).await.map(drop)
}

fn program_of(engine: &Handle, id: &ServerId) -> Result<ProgramView, CommandError> {
    let program = engine.server(id).and_then(|view| view.program);
    program.ok_or_else(|| {
        let broken = engine.server(id).filter(|view| view.entry_error.is_some());
        if let Some(error) = broken.and_then(|view| view.last_error) {
            return error.into();
        }
        let shown = display_text(&id.0, 80);
        usage_error(format!("{shown} is not a program."), "Only programs need approval.")
    })
}

/// Describes what would run. After a change of the entry, also describes what was approved.
fn question(program: &ProgramView) -> String {
    let mut text =
        format!("Usher would run this program on your computer, as your user:\n\n{}", lines(&program.launch));
    if let Some(earlier) = &program.earlier {
        text.push_str(&format!("\n\nThe entry in mcp.json has changed. You approved:\n\n{}", lines(earlier)));
    }
    if !program.changed_variables.is_empty() {
        text.push_str(&format!("\n\nChanged values: {}", program.changed_variables.join(", ")));
    }
    text.push('\n');
    text
}

fn lines(launch: &LaunchView) -> String {
    let mut lines = vec![format!("  command      {}", launch.command)];
    lines.extend(launch.arguments.iter().map(|argument| format!("  argument     {argument}")));
    lines.extend(launch.environment.iter().map(|name| format!("  environment  {name}")));
    lines.extend(launch.placeholders.iter().map(|name| format!("  gets         {name}")));
    lines.push(format!("  folder       {}", launch.folder.as_deref().unwrap_or("your home folder")));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_launch_and_its_changes_are_shown() {
        let launch = |argument: &str| LaunchView {
            command: "npx".to_owned(),
            arguments: vec!["-y".to_owned(), argument.to_owned()],
            environment: vec!["API_KEY".to_owned()],
            placeholders: vec!["{{notes_key}}".to_owned()],
            folder: None,
            digest: String::new(),
        };
        let program = ProgramView {
            launch: launch("notes@2"),
            is_approved: false,
            earlier: Some(launch("notes@1")),
            changed_variables: vec!["API_KEY".to_owned()],
            newest_line: None,
        };
        let expected = "Usher would run this program on your computer, as your user:

  command      npx
  argument     -y
  argument     notes@2
  environment  API_KEY
  gets         {{notes_key}}
  folder       your home folder

The entry in mcp.json has changed. You approved:

  command      npx
  argument     -y
  argument     notes@1
  environment  API_KEY
  gets         {{notes_key}}
  folder       your home folder

Changed values: API_KEY
";
        assert_eq!(question(&program), expected);
    }
}
