//! What is printed: text for people, JSON for programs, and nothing that a server wrote goes to a terminal unclean.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use comfy_table::Table;
use serde::Serialize;
use usher_api::Status;

use crate::exit::Failure;

/// How to print. Results go to standard output, everything else to standard error.
#[derive(Clone, Copy, Debug)]
pub struct Output {
    pub json: bool,
}

impl Output {
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result: the value as one line of JSON, or the text.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json {
            serde_json::to_string(value).unwrap_or_else(|error| error.to_string())
        } else {
            text()
        };
        print_line(&line);
    }

    /// Says on standard error what is going on; programs that asked for JSON are spared it.
    pub fn note(&self, text: &str) {
        if !self.json {
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Prints the error and gives its exit code.
    pub fn fail(&self, failure: &Failure) -> ExitCode {
        self.complain(failure);
        ExitCode::from(failure.exit_code)
    }

    /// Prints an error that does not end the command.
    pub fn complain(&self, failure: &Failure) {
        let mut stderr = std::io::stderr();
        if self.json {
            let line = serde_json::json!({ "error": failure.error });
            let _ = writeln!(stderr, "{line}");
            return;
        }
        let _ = writeln!(stderr, "usher: {}", failure.error.message);
        if let Some(hint) = &failure.error.hint {
            let _ = writeln!(stderr, "  {hint}");
        }
        if let Some(details) = &failure.error.details {
            let _ = writeln!(stderr, "  ({details})");
        }
    }
}

/// Prints a line to standard output. A reader that went away (`usher list | head -1`) is no error.
pub fn print_line(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Whether a person sits at both ends.
pub fn is_interactive() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A short table without lines.
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

/// A status in a few words.
pub fn status_words(status: &Status) -> String {
    match status {
        Status::Disabled => "off".into(),
        Status::Paused => "paused".into(),
        Status::Unsupported { .. } => "not yet".into(),
        Status::Connecting => "connecting".into(),
        Status::NeedsSignIn { .. } => "needs sign-in".into(),
        Status::SigningIn { .. } => "signing in".into(),
        Status::Connected { tool_count, .. } => format!("connected, {}", count(*tool_count, "tool")),
        Status::Reconnecting { .. } => "reconnecting".into(),
        Status::Failed { .. } => "failed".into(),
    }
}

/// `1 tool`, `2 tools`.
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
    fn one_is_not_many() {
        assert_eq!(count(1, "tool"), "1 tool");
        assert_eq!(count(0, "tool"), "0 tools");
    }
}
