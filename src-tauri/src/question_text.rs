//! The sentences about a server's question in the tray's menu and in notifications. They begin with the names that the
//! person knows; the server's own text comes last.

use usher_api::{CallingProgram, ElicitationView};

use crate::service_label::shorten;

/// A longer host makes a menu wider than some screens.
const MAX_HOST: usize = 40;
/// The number of characters of the server's text that a notification shows.
const MAX_MESSAGE: usize = 200;

/// Returns the service with its host: "Notion (mcp.notion.com)".
pub fn asker(question: &ElicitationView) -> String {
    format!("{} ({})", shorten(&question.service), shorten_host(&question.host))
}

/// Shortens a host at its beginning, because its end says whose host it is.
fn shorten_host(host: &str) -> String {
    let length = host.chars().count();
    if length <= MAX_HOST {
        return host.to_owned();
    }
    let end: String = host.chars().skip(length - (MAX_HOST - 1)).collect();
    format!("…{end}")
}

/// Returns the sentence that says which program runs which tool: "The usher command is running “Ask back” on Notion
/// (mcp.notion.com)."
pub fn origin(question: &ElicitationView) -> String {
    let asker = asker(question);
    let Some(tool) = question.tool.as_deref().map(shorten) else {
        return format!("{asker} asks outside a call.");
    };
    match &question.program {
        Some(CallingProgram::Window) => format!("You are running “{tool}” on {asker}."),
        Some(CallingProgram::CommandLine) => format!("The usher command is running “{tool}” on {asker}."),
        Some(CallingProgram::Client(client)) => format!("{client} is running “{tool}” on {asker}."),
        None => format!("“{tool}” is running on {asker}."),
    }
}

/// Returns the server's text, shortened and marked as the server's.
pub fn message(question: &ElicitationView) -> String {
    let mut message: String = question.message.chars().take(MAX_MESSAGE).collect();
    if message.len() < question.message.len() {
        message.push('…');
    }
    format!("It asks: “{message}”")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample_views::question;

    #[test]
    fn the_names_that_the_person_knows_come_before_the_servers_text() {
        let asked = question("Notion");
        assert_eq!(origin(&asked), "The usher command is running “Ask back” on Notion (mcp.example.com).");
        assert_eq!(message(&asked), "It asks: “Which page?”");
        let own = ElicitationView { program: Some(CallingProgram::Window), ..question("Notion") };
        assert_eq!(origin(&own), "You are running “Ask back” on Notion (mcp.example.com).");
        let unknown = ElicitationView { program: None, tool: None, ..question("Notion") };
        assert_eq!(origin(&unknown), "Notion (mcp.example.com) asks outside a call.");
        let host = format!("mcp.notion.com.{}.evil.example:8443", "a".repeat(60));
        let disguised = ElicitationView { host, ..question("Notion") };
        assert!(asker(&disguised).ends_with("aaa.evil.example:8443)"), "{}", asker(&disguised));
        assert!(asker(&disguised).starts_with("Notion (…aaa"), "{}", asker(&disguised));
        let long = ElicitationView { message: "é".repeat(500), ..question("Notion") };
        assert_eq!(message(&long), format!("It asks: “{}…”", "é".repeat(200)));
    }
}
