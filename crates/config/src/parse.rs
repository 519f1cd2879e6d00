//! Text to [`Config`], with every server's errors and warnings.

use jsonc_parser::ast::{ObjectProp, Value};

use crate::reader::{Reader, shown};
use crate::{Config, Diagnostic, Environment, ServerConfig, parse_server, syntax};

/// The key that holds the servers.
pub(crate) const SERVERS: &str = "mcpServers";
/// Longer names are mistakes, and the keychain takes no more.
const LONGEST_NAME: usize = 200;

/// Everything that one reading found. The config holds the servers that could be read.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub config: Config,
    /// In the order of the file. With any, the file is not used.
    pub errors: Vec<Diagnostic>,
}

impl Parsed {
    /// The config, or the first error.
    pub fn into_config(self) -> Result<Config, Diagnostic> {
        match self.errors.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(self.config),
        }
    }
}

pub(crate) fn parse(text: &str, environment: &Environment) -> Parsed {
    let mut reader = Reader::new(text, environment);
    let servers = match syntax::parse(text) {
        Ok(value) => read(&mut reader, value.as_ref()),
        Err(error) => {
            reader.errors.push(error);
            Vec::new()
        }
    };
    let in_order = |mut diagnostics: Vec<Diagnostic>| {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        diagnostics
    };
    Parsed {
        config: Config { servers, warnings: in_order(reader.warnings) },
        errors: in_order(reader.errors),
    }
}

fn read(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> Vec<ServerConfig> {
    let Some(value) = value else { return Vec::new() };
    let Some(root) = value.as_object() else {
        let hint = "The file is one object: { \"mcpServers\": { … } }.";
        reader.error(value, "the file must begin with `{`", hint);
        return Vec::new();
    };
    let mut servers = Vec::new();
    let entries = reader.entries(root);
    let has_servers = entries.iter().any(|prop| prop.name.as_str() == SERVERS);
    for prop in entries {
        match prop.name.as_str() {
            SERVERS => {
                let Some(object) = reader.object(prop) else { continue };
                for prop in reader.entries(object) {
                    servers.extend(read_server(reader, prop));
                }
            }
            // VS Code's and Zed's files look alike, but hold the servers elsewhere.
            "servers" | "context_servers" if !has_servers => {
                let message = format!("`{}` is not read", prop.name.as_str());
                reader.warn(prop, message, "Servers stand in `mcpServers`.");
            }
            _ => {}
        }
    }
    servers
}

fn read_server(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<ServerConfig> {
    let name = prop.name.as_str();
    reader.server = Some(shown(name));
    let server = check_name(name)
        .map_err(|why| reader.error(prop, format!("a server's name {why}"), "Choose a short, plain name."))
        .ok()
        .and_then(|()| reader.object(prop))
        .and_then(|object| parse_server::read(reader, prop, object));
    reader.server = None;
    server
}

/// Names are shown and kept as part of a keychain item, and never become paths: little is forbidden.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        Err("is empty")
    } else if name.chars().count() > LONGEST_NAME {
        Err("is longer than 200 characters")
    } else if name.chars().any(char::is_control) {
        Err("has a control character")
    } else {
        Ok(())
    }
}
