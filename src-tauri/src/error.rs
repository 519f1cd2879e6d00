//! The app's own errors, as [`ErrorView`]s.

use usher_api::{Code, ErrorView};
use usher_engine::StartError;

/// An error that the person did not cause.
pub fn internal(message: impl Into<String>, hint: &str, details: impl ToString) -> ErrorView {
    ErrorView::new(Code::Internal, message, hint).with_details(details.to_string())
}

/// A rejected argument or request.
pub fn rejected(message: impl Into<String>) -> ErrorView {
    ErrorView::without_hint(Code::Internal, message)
}

/// The error while an `usher` command is running the engine.
pub fn command_running(pid: Option<u32>) -> ErrorView {
    let details = pid.map(|pid| format!("Process {pid} is running the engine."));
    let message = "The `usher` command is running in a terminal.";
    ErrorView {
        details,
        ..ErrorView::new(Code::EngineBusy, message, "This window continues when it finishes.")
    }
}

/// The error after a failed start of the engine.
pub fn not_started(error: StartError) -> ErrorView {
    match error {
        StartError::Failed(view) => view,
        StartError::Held { pid, .. } => {
            let details = pid.map(|pid| format!("Process {pid} holds the lock."));
            let hint = "Close the other window, then try again.";
            ErrorView { details, ..ErrorView::new(Code::Internal, "Usher is already running.", hint) }
        }
    }
}
