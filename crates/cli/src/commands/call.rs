//! `usher call NAME TOOL [JSON]`.

use std::convert::Infallible;
use std::time::Duration;

use jiff::tz::TimeZone;
use tokio::sync::Notify;
use usher_api::{
    CallingProgram, Code, ElicitationAnswer, ElicitationView, ErrorView, Event, Reply, Request, ServerId,
    ToolCallView, ToolContent,
};
use usher_config::display_text;
use usher_ipc::{HolderKind, Update};

use crate::arguments::Call;
use crate::engine::{Handle, unexpected_reply};
use crate::exit::{CommandError, internal, usage_error};
use crate::output::{Output, is_interactive, read_stdin};
use crate::paths::Paths;
use crate::session::{wait_until_connected, with_server};

/// The time limit for granting a permission in the window.
const PERMISSION_TIMEOUT: Duration = Duration::from_secs(5 * 60);

/// Calls a tool and prints its result. Ctrl-C cancels the call at the server; a second Ctrl-C ends the command.
pub async fn run(paths: &Paths, output: Output, call: &Call) -> Result<(), CommandError> {
    let arguments = parse_arguments(&call.arguments)?;
    with_server(paths, output, &call.name, async |engine, id| {
        let result = call_tool(engine, id, output, call, arguments).await;
        engine.set_answers_questions(false);
        let result = result?;
        output.result(&result, || result_text(&result));
        if result.is_error {
            let message = format!("{} reports that {} failed.", id, display_text(&call.tool, 80));
            return Err(ErrorView::without_hint(Code::ProtocolError, message).into());
        }
        Ok(())
    })
    .await
}

async fn call_tool(
    engine: &Handle,
    id: &ServerId,
    output: Output,
    call: &Call,
    arguments: serde_json::Map<String, serde_json::Value>,
) -> Result<ToolCallView, CommandError> {
    wait_until_connected(engine, id).await?;
    let call_id = "call".to_owned();
    let can_ask = can_ask_person(output);
    engine.set_answers_questions(true);
    let reply = engine.ask(Request::CallTool {
        server: id.clone(),
        tool: call.tool.clone(),
        arguments,
        call: call_id.clone(),
        program: CallingProgram::CommandLine,
        idle_timeout_seconds: call.timeout,
        // Only a window can ask the person for a permission.
        permission_seconds: match engine.holder() {
            HolderKind::App => PERMISSION_TIMEOUT.as_secs(),
            HolderKind::Command | HolderKind::Serve => 0,
        },
        // Without a terminal, the app asks the person.
        asks_holder: !can_ask && engine.holder() == HolderKind::App,
    });
    tokio::pin!(reply);
    let follow = follow_call(engine, &call_id, output);
    tokio::pin!(follow);
    let cancelling = Notify::new();
    let cancel = async {
        cancelling.notified().await;
        engine.ask(Request::CancelCall { call: call_id.clone() }).await?;
        std::future::pending::<Result<Infallible, CommandError>>().await
    };
    tokio::pin!(cancel);
    let interrupted = async {
        let first = tokio::signal::ctrl_c().await;
        cancelling.notify_one();
        // Listens for the second Ctrl-C while the cancellation is still being sent.
        first.and(tokio::signal::ctrl_c().await)
    };
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            reply = &mut reply => {
                // The updates that precede the reply are already queued; print them first.
                let _ = tokio::time::timeout(Duration::ZERO, &mut follow).await;
                return match reply? {
                    Reply::ToolCall(result) => Ok(result),
                    _ => Err(unexpected_reply()),
                };
            }
            () = &mut follow => {}
            Err(error) = &mut cancel => return Err(error),
            _ = &mut interrupted => return Err(stopped_waiting(&call.tool)),
        }
    }
}

fn stopped_waiting(tool: &str) -> CommandError {
    let tool = display_text(tool, 80);
    internal(format!("Stopped waiting for {tool}; it may or may not have run."))
        .with_hint("Check the result before you try again.")
}

/// Prints progress and answers the server's questions while the call runs. If this command holds the engine, it also
/// receives the questions outside a call. If the engine stops, the call itself reports that.
async fn follow_call(engine: &Handle, call: &str, output: Output) {
    let mut updates = engine.subscribe();
    while let Some(update) = updates.next().await {
        let Update::Event(event) = update else { continue };
        match *event {
            Event::CallProgressed { call: id, progress, total, message, .. } if id == call => {
                let progress = total
                    .map(|total| format!("{progress} of {total}"))
                    .unwrap_or_else(|| progress.to_string());
                output.note(&format!(
                    "{progress} {}",
                    display_text(message.as_deref().unwrap_or_default(), 120)
                ));
            }
            Event::CallWaitsForAnswer { call: id, expires_at, .. } if id == call => {
                let until = expires_at.to_zoned(TimeZone::system()).strftime("%H:%M");
                output.note(&format!("Waiting for an answer in Usher, until {until}."));
            }
            Event::ElicitationRequested { elicitation, .. } => {
                let answer = ask_person(output, &elicitation).await;
                let request = Request::AnswerElicitation { id: elicitation.id, answer };
                if let Err(error) = engine.ask(request).await {
                    output.error(&error);
                }
            }
            _ => {}
        }
    }
    std::future::pending().await
}

/// Whether a person can answer on this terminal.
fn can_ask_person(output: Output) -> bool {
    is_interactive() && !output.json
}

/// Asks the person the server's question, or declines it if there is no terminal.
async fn ask_person(output: Output, question: &ElicitationView) -> ElicitationAnswer {
    let asker = format!("{} ({})", question.service, question.host);
    output.note(&format!("{asker} asks: {}", display_text(&question.message, 500)));
    if let Some(url) = &question.url {
        output.note(&format!("{asker} asks you to open {}", display_text(url, 500)));
    }
    if !can_ask_person(output) {
        output.note("Declined, because this is not an interactive terminal.");
        return ElicitationAnswer::Decline;
    }
    if let Some(schema) = &question.schema {
        output.note(&format!(
            "Enter a JSON object that matches this schema, or an empty line to decline: {}",
            display_text(schema, 2000)
        ));
    } else {
        output.note("When you are done, type {} and press Enter. To decline, press only Enter.");
    }
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    })
    .await;
    match line {
        Ok(Ok(line)) => match serde_json::from_str(&line) {
            Ok(serde_json::Value::Object(content)) => ElicitationAnswer::Accept(content),
            Ok(_) | Err(_) => ElicitationAnswer::Decline,
        },
        Ok(Err(_)) | Err(_) => ElicitationAnswer::Cancel,
    }
}

/// Parses the tool's arguments; `-` reads them from stdin.
fn parse_arguments(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, CommandError> {
    let hint = "For example: usher call demo search_pages '{\"query\": \"tea\"}'";
    let text = if text == "-" { read_stdin("the arguments", 16 * 1024 * 1024)? } else { text.to_owned() };
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(usage_error("The tool's arguments are not a JSON object.", hint)),
        Err(error) => Err(usage_error(format!("The tool's arguments are not JSON: {error}."), hint)),
    }
}

/// Formats the result of a call for a terminal.
fn result_text(result: &ToolCallView) -> String {
    let parts = result.content.iter().map(|content| match content {
        ToolContent::Text { text } => {
            text.lines().map(|line| display_text(line, 10_000)).collect::<Vec<_>>().join("\n")
        }
        ToolContent::Image { mime_type, data } => {
            format!(
                "[image, {}, {} bytes; use --json to get it]",
                display_text(mime_type, 60),
                data.len() / 4 * 3
            )
        }
        ToolContent::Other { json } => display_text(json, 10_000),
    });
    let parts: Vec<_> = parts.collect();
    match (&result.structured, parts.is_empty()) {
        (Some(structured), true) => display_text(structured, 100_000),
        _ => parts.join("\n\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_a_json_object() {
        assert_eq!(parse_arguments("{\"a\": 1}").expect("an object").len(), 1);
        for (text, expected) in [("[1]", "not a JSON object"), ("{a}", "not JSON"), ("", "not JSON")] {
            let error = parse_arguments(text).expect_err(text);
            assert_eq!(error.exit_code, 2);
            assert!(error.error.message.contains(expected), "{}", error.error.message);
        }
    }
}
