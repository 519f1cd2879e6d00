//! Output: text for people, JSON for programs. Text from servers is sanitised before it reaches a terminal.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::process::ExitCode;

use comfy_table::Table;
use serde::Serialize;
use usher_api::{ServerView, Status};

use crate::exit::{CommandError, internal};

/// The number of bytes of an answer that are read.
const LONGEST_ANSWER: u64 = 100;

/// The output format. Results go to stdout, everything else to stderr.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// Prints a result: the value as one line of JSON, or the text.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json {
            serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
        } else {
            text()
        };
        print_line(&line);
    }

    /// Prints a progress message to stderr. JSON output omits it.
    pub fn note(&self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Prints a warning to stderr.
    pub fn warn(&self, message: &str, hint: &str) {
        let mut stderr = std::io::stderr();
        if self.json {
            let line = serde_json::json!({ "warning": { "message": message, "hint": hint } });
            let _ = writeln!(stderr, "{line}");
        } else {
            let _ = writeln!(stderr, "warning: {message}\n  hint: {hint}");
        }
    }

    /// Prints the error and returns its exit code.
    pub fn fail(&self, error: &CommandError) -> ExitCode {
        self.error(error);
        ExitCode::from(error.exit_code)
    }

    /// Prints an error that does not end the command.
    pub fn error(&self, CommandError { error, .. }: &CommandError) {
        let mut stderr = std::io::stderr();
        if self.json {
            let line = serde_json::json!({ "error": error });
            let _ = writeln!(stderr, "{line}");
            return;
        }
        let _ = writeln!(stderr, "error: {}", error.message);
        if let Some(hint) = &error.hint {
            let _ = writeln!(stderr, "  hint: {hint}");
        }
        if let Some(details) = &error.details {
            let _ = writeln!(stderr, "  details: {details}");
        }
    }
}

/// Prints a line to stdout. A closed pipe (`usher list | head -1`) is not an error.
pub fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Whether a person can read stderr and type into stdin.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question on the terminal. `enter` is the meaning of an empty answer.
pub fn confirm(question: &str, enter: bool) -> Result<bool, CommandError> {
    let choices = if enter { "[Y/n]" } else { "[y/N]" };
    let _ = write!(std::io::stderr(), "{question} {choices} ");
    let mut answer = String::new();
    let read = std::io::stdin().lock().take(LONGEST_ANSWER).read_line(&mut answer);
    let length = read.map_err(|error| internal(format!("Could not read the answer: {error}.")))?;
    // The end of the input is not an answer.
    let answer = answer.trim().to_ascii_lowercase();
    Ok(length > 0 && (matches!(answer.as_str(), "y" | "yes") || (answer.is_empty() && enter)))
}

/// Reads text from stdin, up to `limit` bytes. `what` names the text in an error.
pub fn read_stdin(what: &str, limit: u64) -> Result<String, CommandError> {
    let mut text = String::new();
    std::io::stdin()
        .take(limit)
        .read_to_string(&mut text)
        .map_err(|error| internal(format!("Could not read {what} from stdin: {error}.")))?;
    Ok(text)
}

/// Formats a table without borders.
pub fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let mut table = Table::new();
    table.load_preset(comfy_table::presets::NOTHING);
    table.set_header(head.iter().map(|title| title.to_uppercase()));
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}

/// Formats the state of a server in a few words.
pub fn status_text(view: &ServerView) -> String {
    match &view.status {
        Status::Disabled => "disabled".into(),
        Status::Paused => "paused".into(),
        Status::Connecting => "connecting".into(),
        Status::NeedsSignIn { .. } => "needs sign-in".into(),
        Status::SigningIn { device: Some(device), .. } => {
            format!("signing in: enter {} at {}", device.user_code, device.verification_uri)
        }
        Status::SigningIn { .. } => "signing in".into(),
        Status::Connected { tool_count, .. } if view.is_connected_without_sign_in() => {
            format!("connected, not signed in, {}", count(*tool_count, "tool"))
        }
        Status::Connected { tool_count, .. } => format!("connected, {}", count(*tool_count, "tool")),
        Status::Reconnecting { .. } => "reconnecting".into(),
        Status::Failed { .. } => "failed".into(),
    }
}

/// Formats a number and its noun: `1 tool`, `2 tools`.
pub fn count(number: u32, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_has_no_trailing_blanks() {
        let text =
            table(&["name", "state"], [vec!["notion".into(), "on".into()], vec!["a".into(), "off".into()]]);
        assert_eq!(text, "NAME    STATE\nnotion  on\na       off");
    }

    #[test]
    fn a_count_of_one_is_singular() {
        assert_eq!(count(1, "tool"), "1 tool");
        assert_eq!(count(0, "tool"), "0 tools");
    }
}
