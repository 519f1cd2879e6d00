//! Messages about local programs.

use std::io;

use usher_api::{Code, ErrorView, LaunchView};

use crate::program::process::{ProcessEnd, StartError};

/// Describes a program that waits for the person's approval.
pub(crate) fn not_approved(name: &str) -> ErrorView {
    ErrorView::new(
        Code::ApprovalNeeded,
        format!("{name} is a program on this computer that you have not approved yet."),
        format!(
            "Check its command, then approve it: run `usher approve` with its name, or open {name} in Usher."
        ),
    )
}

/// Describes an approval of a launch that has changed since the person saw it.
pub(crate) fn changed_meanwhile() -> ErrorView {
    ErrorView::new(
        Code::ApprovalNeeded,
        "The entry in mcp.json changed after you saw it. Nothing was approved.",
        "Check the new command, then approve it.",
    )
}

pub(crate) fn approval_not_stored(error: &io::Error) -> ErrorView {
    ErrorView::new(
        Code::Internal,
        "Usher could not store the approval.",
        "Check that Usher's state folder is writable and that the disk is not full.",
    )
    .with_details(error.to_string())
}

/// Describes a server that is not a program.
pub(crate) fn no_program(name: &str) -> ErrorView {
    ErrorView::without_hint(Code::ConfigInvalid, format!("{name} is not a program, so it needs no approval."))
}

/// The log was requested of a server that is not a program.
pub(crate) fn no_log(name: &str) -> ErrorView {
    ErrorView::without_hint(Code::ConfigInvalid, format!("{name} is not a program, so it has no log."))
}

/// Describes a program that did not start.
pub(crate) fn not_started(launch: &LaunchView, error: &StartError) -> ErrorView {
    let command = usher_config::display_text(&launch.command, 200);
    match error {
        StartError::NotFound => ErrorView::new(
            Code::ConfigInvalid,
            format!("The program {command} was not found."),
            "Install it, or write its full path as `command` in mcp.json.",
        ),
        StartError::NoFolder(folder) => ErrorView::new(
            Code::ConfigInvalid,
            format!("The folder {} of the program does not exist.", folder.display()),
            "Correct `cwd` in mcp.json.",
        ),
        StartError::Io(error) if error.kind() == io::ErrorKind::PermissionDenied => ErrorView::new(
            Code::ConfigInvalid,
            format!("The program {command} could not be started (permission denied)."),
            "Make the file executable, and check the permissions of its folder.",
        ),
        StartError::Io(error) => ErrorView::new(
            Code::ConfigInvalid,
            format!("The program {command} could not be started."),
            "Check the entry in mcp.json.",
        )
        .with_details(error.to_string()),
    }
}

/// Describes the end of a program, with the last lines that it wrote.
pub(crate) fn exited(name: &str, end: &ProcessEnd) -> ErrorView {
    let how = match (end.code, end.signal) {
        (Some(0), _) => "ended".to_owned(),
        (Some(code), _) => format!("ended with exit code {code}"),
        (None, Some(signal)) => format!("was terminated by signal {signal}"),
        (None, None) => "ended".to_owned(),
    };
    let message = match end.lines.last() {
        Some(line) => format!("The program of {name} {how}: {}", usher_config::display_text(line, 200)),
        None => format!("The program of {name} {how} without an error message."),
    };
    let hint = match end.is_final {
        true => "Check the entry in mcp.json and the program's output, then connect again.",
        false => "Usher starts it again. If this happens again, check the program's output.",
    };
    let error = ErrorView::new(Code::ProcessExited, message, hint);
    if end.lines.is_empty() { error } else { error.with_details(end.lines.join("\n")) }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::words::sign_in::tests::lines;

    #[test]
    fn every_fault_of_a_program_has_a_message() {
        let launch = LaunchView { command: "npx".to_owned(), ..LaunchView::default() };
        let end = |code, signal, lines: &[&str], is_final| ProcessEnd {
            code,
            signal,
            uptime: Duration::ZERO,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            is_final,
        };
        let errors = [
            not_approved("Notes"),
            changed_meanwhile(),
            no_program("Notes"),
            no_log("Notes"),
            not_started(&launch, &StartError::NotFound),
            not_started(&launch, &StartError::NoFolder(PathBuf::from("/srv/notes"))),
            not_started(&launch, &StartError::Io(io::ErrorKind::PermissionDenied.into())),
            not_started(&launch, &StartError::Io(io::Error::other("out of memory"))),
            exited("Notes", &end(Some(0), None, &[], false)),
            exited("Notes", &end(Some(1), None, &["Traceback", "KeyError: 'API_KEY'"], true)),
            exited("Notes", &end(None, Some(9), &[], false)),
        ];
        insta::assert_snapshot!(lines(errors));
    }
}
