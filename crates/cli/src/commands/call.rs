//! `usher call NAME TOOL [JSON]`.

use std::convert::Infallible;
use std::io::Read;
use std::time::Duration;

use tokio::sync::Notify;
use usher_api::{
    Code, ElicitationAnswer, ElicitationView, ErrorView, Event, Reply, Request, ServerId, ToolCallView,
    ToolContent,
};
use usher_config::display_text;
use usher_ipc::{HolderKind, Update};

use crate::arguments::{Call, Places};
use crate::engine::{Handle, unexpected};
use crate::exit::{Failure, internal, wrong_words};
use crate::output::{Output, is_interactive};
use crate::session::{connected, with_server};

/// How long the person may take to give a permission in the window.
const PERMISSION: Duration = Duration::from_secs(5 * 60);

/// Calls one tool and prints its answer; Ctrl-C cancels it at the server, and once more ends the command.
pub async fn run(places: &Places, output: Output, call: &Call) -> Result<(), Failure> {
    let arguments = parse_arguments(&call.arguments)?;
    with_server(places, output, &call.name, async |engine, id| {
        let answer = call_tool(engine, id, output, call, arguments).await;
        engine.set_asked(false);
        let answer = answer?;
        output.result(&answer, || text(&answer));
        if answer.is_error {
            return Err(ErrorView {
                code: Code::ProtocolError,
                message: format!("{} says that {} failed.", id, display_text(&call.tool, 80)),
                hint: None,
                details: None,
            }
            .into());
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
) -> Result<ToolCallView, Failure> {
    connected(engine, id).await?;
    let name = "call".to_owned();
    let is_answered_here = is_interactive() && !output.json;
    engine.set_asked(true);
    let answer = engine.ask(Request::CallTool {
        server: id.clone(),
        tool: call.tool.clone(),
        arguments,
        call: name.clone(),
        silence_seconds: call.timeout,
        // Where there is a window, the person is asked there; else nobody is.
        permission_seconds: match engine.holder() {
            HolderKind::App => PERMISSION.as_secs(),
            HolderKind::Command => 0,
        },
        asks_holder: !is_answered_here && engine.holder() == HolderKind::App,
    });
    tokio::pin!(answer);
    let follow = follow(engine, &name, output);
    tokio::pin!(follow);
    let gives_up = Notify::new();
    let cancel = async {
        gives_up.notified().await;
        engine.ask(Request::CancelCall { call: name.clone() }).await?;
        std::future::pending::<Result<Infallible, Failure>>().await
    };
    tokio::pin!(cancel);
    let interrupted = async {
        let once = tokio::signal::ctrl_c().await;
        gives_up.notify_one();
        // Heard from here on, before the server is told.
        once.and(tokio::signal::ctrl_c().await)
    };
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            answer = &mut answer => {
                // What was told before the answer is shown before it: one look is enough, for it is here.
                let _ = tokio::time::timeout(Duration::ZERO, &mut follow).await;
                return match answer? {
                    Reply::ToolCall(answer) => Ok(answer),
                    _ => Err(unexpected()),
                };
            }
            () = &mut follow => {}
            Err(failure) = &mut cancel => return Err(failure),
            // Who presses again does not wait for what becomes of it.
            _ = &mut interrupted => return Err(not_waited_for(&call.tool)),
        }
    }
}

fn not_waited_for(tool: &str) -> Failure {
    let tool = display_text(tool, 80);
    let mut failure = internal(format!("You did not wait for {tool}; nobody knows whether it did its work."));
    failure.error.hint = Some("Look first, then try again.".into());
    failure
}

/// Shows progress and answers the server's questions for as long as the call runs. Where this command holds the engine,
/// those come here, too, that belong to no call. An engine that goes away is the call's matter.
async fn follow(engine: &Handle, call: &str, output: Output) {
    let mut updates = engine.updates();
    while let Some(update) = updates.next().await {
        let Update::Event(event) = update else { continue };
        match *event {
            Event::CallProgressed { call: of, progress, total, message, .. } if of == call => {
                let share = total
                    .map(|total| format!("{progress} of {total}"))
                    .unwrap_or_else(|| progress.to_string());
                output
                    .note(&format!("{share} {}", display_text(message.as_deref().unwrap_or_default(), 120)));
            }
            Event::ElicitationRequested { elicitation, .. } => {
                let answer = ask(output, &elicitation).await;
                let answered = Request::AnswerElicitation { id: elicitation.id, answer };
                if let Err(failure) = engine.ask(answered).await {
                    output.complain(&failure);
                }
            }
            _ => {}
        }
    }
    std::future::pending().await
}

/// Puts the server's question to the person, where there is one; a script declines.
async fn ask(output: Output, question: &ElicitationView) -> ElicitationAnswer {
    output.note(&format!("{} asks: {}", question.server, display_text(&question.message, 500)));
    if let Some(url) = &question.url {
        output.note(&format!("It wants you to open {}", display_text(url, 500)));
    }
    if !is_interactive() || output.json {
        output.note("Declined: nobody is here to answer.");
        return ElicitationAnswer::Decline;
    }
    if let Some(schema) = &question.schema {
        output.note(&format!(
            "Answer with a JSON object for {}, or an empty line to decline:",
            display_text(schema, 2000)
        ));
    } else {
        output.note("Type {} once you have done it, or an empty line to decline:");
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

/// Parses the arguments; `-` reads them from standard input.
fn parse_arguments(text: &str) -> Result<serde_json::Map<String, serde_json::Value>, Failure> {
    let hint = "For example: usher call demo search_pages '{\"query\": \"tea\"}'";
    let text = if text == "-" {
        let mut input = String::new();
        std::io::stdin()
            .take(16 * 1024 * 1024)
            .read_to_string(&mut input)
            .map_err(|error| internal(format!("Cannot read the arguments from standard input: {error}.")))?;
        input
    } else {
        text.to_owned()
    };
    match serde_json::from_str(&text) {
        Ok(serde_json::Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err(wrong_words("The tool's arguments are not a JSON object.", hint)),
        Err(error) => Err(wrong_words(format!("The tool's arguments are not JSON: {error}."), hint)),
    }
}

fn text(answer: &ToolCallView) -> String {
    let parts = answer.content.iter().map(|content| match content {
        ToolContent::Text { text } => {
            text.lines().map(|line| display_text(line, 10_000)).collect::<Vec<_>>().join("\n")
        }
        ToolContent::Image { mime_type, data } => {
            format!(
                "[a picture, {}, {} bytes; --json has it]",
                display_text(mime_type, 60),
                data.len() / 4 * 3
            )
        }
        ToolContent::Other { json } => display_text(json, 10_000),
    });
    let parts: Vec<_> = parts.collect();
    match (&answer.structured, parts.is_empty()) {
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
        for (text, said) in [("[1]", "not a JSON object"), ("{a}", "not JSON"), ("", "not JSON")] {
            let failure = parse_arguments(text).expect_err(text);
            assert_eq!(failure.exit_code, 2);
            assert!(failure.error.message.contains(said), "{}", failure.error.message);
        }
    }
}
