//! Parses text into a [`Config`], with all errors and warnings.

mod address;
mod headers;
mod oauth;
mod reader;
mod server;
pub(crate) mod syntax;

use jsonc_parser::ast::{ObjectProp, Value};

pub use headers::is_plain_secret_header;

use crate::{Config, Diagnostic, Environment, ServerConfig};
use reader::{Reader, display_name};

pub(crate) const SERVERS: &str = "mcpServers";
/// The maximum length of a server's name. It is below the secret store's limit of 350 characters.
const MAX_NAME_CHARS: usize = 200;

/// The result of parsing. The config contains the valid servers.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub config: Config,
    /// The errors in the order of the file. The file is used only if there are none.
    pub errors: Vec<Diagnostic>,
}

impl Parsed {
    /// Returns the config, or the first error.
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
    let sorted = |mut diagnostics: Vec<Diagnostic>| {
        diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
        diagnostics
    };
    Parsed { config: Config { servers, warnings: sorted(reader.warnings) }, errors: sorted(reader.errors) }
}

fn read(reader: &mut Reader<'_>, value: Option<&Value<'_>>) -> Vec<ServerConfig> {
    let Some(value) = value else { return Vec::new() };
    let Some(root) = value.as_object() else {
        let hint = "The file must be one object: { \"mcpServers\": { … } }.";
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
            // The config files of VS Code and Zed look similar but use these keys.
            "servers" | "context_servers" if !has_servers => {
                let message = format!("`{}` is ignored", prop.name.as_str());
                reader.warn(prop, message, "Put the servers in `mcpServers`.");
            }
            _ => {}
        }
    }
    servers
}

fn read_server(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<ServerConfig> {
    let name = prop.name.as_str();
    reader.server = Some(display_name(name));
    let server = check_name(name)
        .map_err(|why| reader.error(prop, format!("the server name {why}"), "Choose a short name."))
        .ok()
        .and_then(|()| reader.object(prop))
        .and_then(|object| server::read(reader, prop, object));
    reader.server = None;
    server
}

/// Checks a server name. Few characters are forbidden, because the name is never part of a path. It is only displayed
/// and used in the names of keychain items.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() {
        Err("is empty")
    } else if name.chars().count() > MAX_NAME_CHARS {
        Err("is longer than 200 characters")
    } else if name.chars().any(char::is_control) {
        Err("contains a control character")
    } else {
        Ok(())
    }
}
