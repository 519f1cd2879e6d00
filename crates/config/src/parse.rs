//! Parses text into a [`Config`], with all errors and warnings.

mod address;
mod display;
mod env;
mod groups;
mod headers;
mod oauth;
mod reader;
mod server;
pub(crate) mod spellings;
pub(crate) mod syntax;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use jsonc_parser::ast::{Object, ObjectProp, Value};

pub(crate) use address::is_web_address;
pub use headers::is_plain_secret_header;
pub(crate) use reader::display_name;

use crate::{BrokenServer, Config, Diagnostic, Environment, Group, ServerConfig};
use reader::Reader;

pub(crate) const SERVERS: &str = "mcpServers";
const GROUPS: &str = "groups";
/// The maximum length of a server's name. It is below the secret store's limit of 350 characters.
const MAX_NAME_CHARS: usize = 200;
/// The maximum number of entries. Each one is a task of the engine, or a row in the window.
const MAX_SERVERS: usize = 2000;

/// The values outside the text on which its meaning depends.
#[derive(Clone, Copy)]
pub(crate) struct ParseContext<'a> {
    pub environment: &'a Environment,
    /// The folder of the file, for relative paths.
    pub folder: &'a Path,
}

/// Parses the file. Fails if the text is not the JSON of an `mcp.json`. An error in an entry only breaks that entry.
pub(crate) fn parse(text: &str, context: ParseContext<'_>) -> Result<Config, Diagnostic> {
    let root = syntax::parse(text)?;
    let mut reader = Reader::new(text, context);
    let (read, groups) = root.map(|root| read(&mut reader, &root)).unwrap_or_default();
    // The reader's errors up to here belong to the whole file.
    if let Some(error) = reader.errors.into_iter().next() {
        return Err(error);
    }
    let mut config = Config { groups, warnings: sorted(reader.warnings), ..Config::default() };
    for entry in read {
        match entry {
            Read::Server(server) => config.servers.push(*server),
            Read::Broken(broken) => {
                let servers_before = config.servers.len();
                let errors = sorted(broken.errors);
                config.broken.push(BrokenServer { servers_before, errors, ..*broken });
            }
        }
    }
    Ok(config)
}

fn sorted(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    diagnostics.sort_by_key(|diagnostic| (diagnostic.line, diagnostic.column));
    diagnostics
}

/// One entry of `mcpServers`.
enum Read {
    Server(Box<ServerConfig>),
    Broken(Box<BrokenServer>),
}

impl Read {
    fn name(&self) -> &str {
        match self {
            Self::Server(server) => &server.name,
            Self::Broken(broken) => &broken.name,
        }
    }
}

fn read(reader: &mut Reader<'_>, value: &Value<'_>) -> (Vec<Read>, Vec<Group>) {
    let Some(root) = value.as_object() else {
        let hint = "The file must be one object: { \"mcpServers\": { … } }.";
        reader.error(value, "the file must begin with `{`", hint);
        return Default::default();
    };
    let mut servers = None;
    let mut others = HashSet::new();
    let mut misnamed = None;
    let mut groups = None;
    for prop in &root.properties {
        let name = prop.name.as_str();
        if name.starts_with('_') || prop.value.as_null_keyword().is_some() {
            continue;
        }
        if name == SERVERS {
            if servers.is_some() {
                reader.error(prop, "duplicate entry `mcpServers`", "Move all servers into one of them.");
            } else {
                servers = Some(prop);
            }
        } else if !others.insert(name) {
            reader.warn(
                prop,
                format!("duplicate entry `{}`", display_name(name)),
                "Programs disagree about which one counts. Remove one of them.",
            );
        } else if matches!(name, "servers" | "context_servers") {
            misnamed = Some(prop);
        } else if name == GROUPS {
            groups = Some(prop);
        }
    }
    // The config files of VS Code and Zed look similar but use these keys.
    if let (None, Some(prop)) = (servers, misnamed) {
        let message = format!("`{}` is ignored", prop.name.as_str());
        reader.warn(prop, message, "Put the servers in `mcpServers`.");
    }
    let Some(servers) = servers.and_then(|prop| reader.object(prop)) else { return Default::default() };
    let entries = servers.properties.iter().filter(|prop| is_entry(prop));
    if entries.count() > MAX_SERVERS {
        let hint = "Check that this is the right file.";
        reader.error(servers, format!("there are more than {MAX_SERVERS} servers"), hint);
        return Default::default();
    }
    let read = read_servers(reader, servers);
    let names: Vec<&str> = read.iter().map(Read::name).collect();
    let groups = groups.map(|prop| groups::read_groups(reader, prop, &names)).unwrap_or_default();
    (read, groups)
}

fn is_entry(prop: &ObjectProp<'_>) -> bool {
    !prop.name.as_str().starts_with('_') && prop.value.as_null_keyword().is_none()
}

/// Reads the entries. If several have the same name, none of them is used, because programs disagree about which one
/// counts.
fn read_servers(reader: &mut Reader<'_>, object: &Object<'_>) -> Vec<Read> {
    let mut taken: HashSet<String> =
        object.properties.iter().map(|prop| prop.name.as_str().to_owned()).collect();
    let mut servers: Vec<Read> = Vec::new();
    let mut positions: HashMap<&str, usize> = HashMap::new();
    for prop in object.properties.iter().filter(|prop| is_entry(prop)) {
        let key = prop.name.as_str();
        reader.begin_server(prop, display_name(key));
        let mut server = read_server(reader, prop);
        let earlier = positions.get(key).copied();
        if earlier.is_some() {
            let message = format!("another entry is also named `{}`", display_name(key));
            reader.error(prop, message, "Rename or remove one of them. Usher uses neither.");
        }
        let errors = reader.end_server();
        if let Read::Broken(broken) = &mut server {
            broken.errors = errors;
            if earlier.is_none()
                && let Some(name) = name_of_invalid(key, &mut taken)
            {
                broken.name = name;
            }
        } else if earlier.is_some() {
            server = Read::Broken(Box::new(BrokenServer { errors, ..broken(server) }));
        }
        match earlier {
            None => {
                positions.insert(key, servers.len());
                servers.push(server);
            }
            Some(position) => {
                let first = std::mem::replace(&mut servers[position], Read::Broken(Box::default()));
                let mut merged = broken(first);
                merged.errors.extend(broken(server).errors);
                servers[position] = Read::Broken(Box::new(merged));
            }
        }
    }
    servers
}

fn broken(server: Read) -> BrokenServer {
    match server {
        Read::Broken(broken) => *broken,
        Read::Server(server) => BrokenServer {
            key: server.name.clone(),
            name: server.name,
            title: server.title,
            url: server.transport.url().cloned(),
            is_program: server.transport.url().is_none(),
            ..BrokenServer::default()
        },
    }
}

/// Returns a unique name for an entry whose key is not a valid name, and adds it to `taken`. Returns `None` if the key
/// is valid.
fn name_of_invalid(key: &str, taken: &mut HashSet<String>) -> Option<String> {
    check_name(key).err()?;
    let shown = match display_name(key) {
        shown if shown.is_empty() => "no name".to_owned(),
        shown => format!("{shown} (invalid name)"),
    };
    let numbered = (2..).map(|number| format!("{shown} {number}"));
    let name = std::iter::once(shown.clone()).chain(numbered).find(|name| !taken.contains(name))?;
    taken.insert(name.clone());
    Some(name)
}

/// Reads an entry. The caller adds the errors.
fn read_server(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Read {
    let key = prop.name.as_str();
    let unknown = || BrokenServer { name: key.to_owned(), key: key.to_owned(), ..BrokenServer::default() };
    if let Err(why) = check_name(key) {
        reader.error(prop, format!("the server name {why}"), "Choose a short name.");
    }
    let Some(object) = reader.object(prop) else { return Read::Broken(Box::new(unknown())) };
    match server::read(reader, prop, object) {
        Ok(server) => Read::Server(Box::new(server)),
        Err(known) => {
            let server::Known { title, url, is_program } = known;
            Read::Broken(Box::new(BrokenServer { title, url, is_program, ..unknown() }))
        }
    }
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
