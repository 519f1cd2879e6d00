//! The texts for a client's person and for its model.

use usher_api::{BridgeHello, Code, ErrorView, ServerId, ServerView};

/// The longest instructions of one server, in characters.
const INSTRUCTION_CHARACTERS: usize = 4000;
const LABEL_CHARACTERS: usize = 40;

/// The target of a client is not in `mcp.json`.
pub(crate) fn unknown_target(id: &ServerId) -> ErrorView {
    ErrorView::new(
        Code::ConfigInvalid,
        format!("Usher has no server or group named “{}”.", id.0),
        "Run `usher list` to see the names. Then correct the name in the settings of this AI client.",
    )
}

/// The description of the tool that stands in for the tools of a service.
pub(crate) fn sign_in_tool(view: &ServerView) -> String {
    format!(
        "{} needs the person to sign in before its tools can be used. Call this tool, and ask the person to sign in.",
        view.name
    )
}

/// The result of a call that needs a sign-in.
pub(crate) fn sign_in_needed(view: &ServerView) -> String {
    format!(
        "{} needs the person to sign in. Ask the person to open Usher or to run `usher login {}`. Then call the tool again.",
        view.name, view.id
    )
}

/// The result of a call after the sign-in.
pub(crate) fn signed_in(view: &ServerView) -> String {
    format!("The person signed in to {}. List the tools again to see its tools.", view.name)
}

/// Returns an error as one text: what happened, and what to do next.
pub(crate) fn sentence(error: &ErrorView) -> String {
    match &error.hint {
        Some(hint) => format!("{} {hint}", error.message),
        None => error.message.clone(),
    }
}

/// Returns the instructions of a server, under a heading if there are several servers.
pub(crate) fn instructions(server: &ServerId, text: &str, has_heading: bool) -> String {
    let text = shortened(text, INSTRUCTION_CHARACTERS);
    if has_heading { format!("# {}\n\n{text}", server.0) } else { text }
}

/// Returns the name of a client: its label, or else a neutral one.
pub(crate) fn label(hello: &BridgeHello) -> String {
    let label: String =
        hello.label.iter().flat_map(|label| label.chars()).filter(|letter| !letter.is_control()).collect();
    let label = shortened(label.trim(), LABEL_CHARACTERS);
    if label.is_empty() { "An AI client".to_owned() } else { label }
}

fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
