//! The app's own errors, as [`ErrorView`]s.

use usher_api::{Code, ErrorView};
use usher_engine::StartError;

/// An error that the person did not cause.
pub fn internal(message: impl Into<String>, hint: &str, details: impl ToString) -> ErrorView {
    ErrorView {
        code: Code::Internal,
        message: message.into(),
        hint: Some(hint.to_owned()),
        details: Some(details.to_string()),
    }
}

/// A rejected argument or request.
pub fn rejected(message: impl Into<String>) -> ErrorView {
    ErrorView { code: Code::Internal, message: message.into(), hint: None, details: None }
}

/// The error while an `usher` command runs the engine.
pub fn command_running(pid: Option<u32>) -> ErrorView {
    ErrorView {
        code: Code::EngineBusy,
        message: "The `usher` command is running in a terminal.".to_owned(),
        hint: Some("This window continues when it finishes.".to_owned()),
        details: pid.map(|pid| format!("Process {pid} runs the engine.")),
    }
}

/// The reason why the engine did not start.
pub fn not_started(error: StartError) -> ErrorView {
    match error {
        StartError::Failed(view) => view,
        StartError::Held { pid, .. } => ErrorView {
            code: Code::Internal,
            message: "Usher is already running.".to_owned(),
            hint: Some("Close the other window, then try again.".to_owned()),
            details: pid.map(|pid| format!("Process {pid} holds the lock.")),
        },
    }
}
