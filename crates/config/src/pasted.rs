//! A text that a person pastes to add a server: an address, a command line, or another client's JSON.

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use url::Url;

use crate::entry_place::{blank, property};
use crate::parse::{SERVERS, display_name, is_web_address, spellings, syntax};
use crate::text::problem;
use crate::{Diagnostic, NewServer, NewTransport};

/// The size limit. An entry has a few hundred bytes; some people paste a whole file.
const MAX_BYTES: usize = 256 * 1024;
/// The keys under which the clients have their servers. VS Code has `servers`, also inside `mcp`; Zed `context_servers`;
/// Codex `mcp_servers`; opencode `mcp`.
const CONTAINERS: [&str; 5] = [SERVERS, "servers", "context_servers", "mcp_servers", "mcp"];
/// The largest number of servers that one text can have.
const MAX_SERVERS: usize = 200;

/// A server in a pasted text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastedEntry {
    /// The key of the entry, if the text has one.
    pub name: Option<String>,
    /// The entry for [`ConfigFile::draft`](crate::ConfigFile::draft). Other parts of the pasted text are white space, so
    /// that errors have their positions in the pasted text.
    pub text: String,
}

/// Reads the servers of a pasted text. There is at least one.
pub fn read_pasted(text: &str) -> Result<Vec<PastedEntry>, Diagnostic> {
    if text.len() > MAX_BYTES {
        let hint = "Paste the part with one server.";
        return Err(problem("", 0, "this text is too long", Some(hint)));
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(unrecognised("there is nothing to add"));
    }
    let json = after_comments(trimmed);
    if json.starts_with('{') {
        return read_json(text);
    }
    if is_named_entry(json) {
        // The text may end with a line comment.
        return read_json(&format!("{{{text}\n}}"));
    }
    let server = match address(trimmed)? {
        Some(url) => NewServer::http(url),
        None => program(trimmed)?,
    };
    let text = server.entry().map_err(|error| unrecognised(&error.to_string()))?;
    Ok(vec![PastedEntry { name: None, text }])
}

fn unrecognised(message: &str) -> Diagnostic {
    let hint = "Enter an address such as https://mcp.example.com/mcp, a command such as `npx -y some-server`, or the JSON of a server.";
    problem("", 0, message, Some(hint))
}

/// Returns the text after the comments at its beginning. A file in a documentation often begins with its path.
fn after_comments(mut text: &str) -> &str {
    loop {
        let rest = match (text.strip_prefix("//"), text.strip_prefix("/*")) {
            (Some(line), _) => line.split_once('\n'),
            (None, Some(block)) => block.split_once("*/"),
            (None, None) => return text,
        };
        let Some((_, rest)) = rest else { return "" };
        text = rest.trim_start();
    }
}

/// Whether the text is an entry with its name, without the object around it: `"name": { … }`.
fn is_named_entry(text: &str) -> bool {
    let name = text.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    name.is_some_and(|(_, rest)| rest.trim_start().starts_with(':'))
}

fn read_json(text: &str) -> Result<Vec<PastedEntry>, Diagnostic> {
    let Some(Value::Object(root)) = syntax::parse(text)? else {
        return Err(unrecognised("the text must be one object in `{ }`"));
    };
    let container = container(&root);
    if container.is_none() && is_entry(&root) {
        return Ok(vec![PastedEntry { name: None, text: text.to_owned() }]);
    }
    let servers = container.unwrap_or(&root);
    let entries = servers.properties.iter().filter(|prop| !prop.name.as_str().starts_with('_'));
    let entries = entries.filter_map(|prop| Some((prop, prop.value.as_object()?)));
    // Other objects may be beside the servers, if nothing marks the place of the servers.
    let entries = entries.filter(|(_, object)| container.is_some() || is_entry(object));
    let found: Vec<_> = entries
        .take(MAX_SERVERS)
        .map(|(prop, object)| PastedEntry {
            name: Some(display_name(prop.name.as_str())).filter(|name| !name.is_empty()),
            text: isolated(text, object),
        })
        .collect();
    if found.is_empty() {
        return Err(unrecognised("this JSON contains no server"));
    }
    Ok(found)
}

/// Finds the object with the servers.
fn container<'a>(root: &'a Object<'a>) -> Option<&'a Object<'a>> {
    let found = CONTAINERS.iter().find_map(|key| property(root, key)?.value.as_object())?;
    let inner = ["servers", SERVERS].iter().find_map(|key| property(found, key)?.value.as_object());
    Some(inner.filter(|inner| !is_entry(inner)).unwrap_or(found))
}

/// Whether an object has the address or the command of a server.
fn is_entry(object: &Object<'_>) -> bool {
    object.properties.iter().any(|prop| match spellings::entry_field(prop.name.as_str()) {
        "url" => prop.value.as_string_lit().is_some(),
        "command" => prop.value.as_string_lit().is_some() || prop.value.as_array().is_some(),
        _ => false,
    })
}

/// Returns the object, with white space in place of the text before it.
fn isolated(text: &str, object: &Object<'_>) -> String {
    let before = blank(&text[..object.start()]);
    format!("{before}{}", &text[object.start()..object.end()])
}

/// Reads an address. A host without a scheme is one, too. Returns `None` if the text is a command.
fn address(text: &str) -> Result<Option<Url>, Diagnostic> {
    let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| {
        !scheme.is_empty() && scheme.chars().all(|one| one.is_ascii_alphanumeric() || "+-.".contains(one))
    });
    if !has_scheme && (text.contains(char::is_whitespace) || !begins_with_host(text)) {
        return Ok(None);
    }
    let whole = if has_scheme { text.to_owned() } else { format!("https://{text}") };
    match Url::parse(&whole) {
        Ok(url) if is_web_address(&url) => Ok(Some(url)),
        Ok(_) | Err(_) => Err(unrecognised("this is not a valid web address")),
    }
}

/// Whether a text without white space begins with a host name that has a dot, or with `localhost`.
fn begins_with_host(text: &str) -> bool {
    let host = text.split(['/', '?']).next().unwrap_or_default();
    let host = host.split_once(':').map_or(host, |(host, _port)| host);
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(|one| one.is_alphanumeric() || one == '-' || one == '_')
    };
    host == "localhost" || (host.contains('.') && host.split('.').all(is_label))
}

/// Reads a command line. Assignments before the command set environment variables, as in a shell.
fn program(text: &str) -> Result<NewServer, Diagnostic> {
    let line = text.strip_prefix("$ ").unwrap_or(text);
    let Some(words) = shlex::split(line) else {
        let hint = "Close each quote, and write a backslash twice.";
        return Err(problem("", 0, "this command has a quote that is not closed", Some(hint)));
    };
    let is_assignment = |word: &&String| {
        let name = word.split_once('=').map(|(name, _)| name);
        name.is_some_and(|name| {
            name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
                && name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_')
        })
    };
    let assignments = words.iter().take_while(is_assignment).count();
    let variables = words[..assignments].iter().filter_map(|word| word.split_once('='));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    match &words[assignments..] {
        [] => Err(unrecognised("there is no command")),
        // A single word is more often a typing error than a program.
        [word] if !word.contains(['/', '\\']) && assignments == 0 => {
            let shown = display_name(word);
            Err(unrecognised(&format!("`{shown}` is neither an address nor a command with arguments")))
        }
        [command, args @ ..] => {
            let mut server = NewServer::program(command.clone(), args.to_vec());
            if let NewTransport::Stdio { env, .. } = &mut server.transport {
                *env = variables;
            }
            Ok(server)
        }
    }
}
