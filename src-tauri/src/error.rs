//! The shell's own errors, in the one shape of the boundary.

use usher_api::{Code, ErrorView};
use usher_engine::StartError;

/// Something here failed that a person cannot have caused.
pub fn internal(message: impl Into<String>, hint: &str, details: impl ToString) -> ErrorView {
    ErrorView {
        code: Code::Internal,
        message: message.into(),
        hint: Some(hint.to_owned()),
        details: Some(details.to_string()),
    }
}

/// What came from the page does not fit: a fault of the page, or of who took it over.
pub fn refused(message: impl Into<String>) -> ErrorView {
    ErrorView { code: Code::Internal, message: message.into(), hint: None, details: None }
}

/// What the app waits for while a command has the engine.
pub fn command_runs(pid: Option<u32>) -> ErrorView {
    ErrorView {
        code: Code::EngineBusy,
        message: "An `usher` command is at work.".to_owned(),
        hint: Some("Usher goes on here by itself as soon as the command has ended.".to_owned()),
        details: pid.map(|pid| format!("Process {pid} holds the sign-ins.")),
    }
}

/// Why the engine is not there, for the screen that stands in for all others.
pub fn not_started(error: StartError) -> ErrorView {
    match error {
        StartError::Failed(view) => view,
        StartError::Held { pid, .. } => ErrorView {
            code: Code::Internal,
            message: "Usher is already running for you.".to_owned(),
            hint: Some("Close the other window, then try again.".to_owned()),
            details: pid.map(|pid| format!("Process {pid} holds the lock.")),
        },
    }
}
