//! Parses one entry of `mcpServers`.

use jsonc_parser::ast::{Object, ObjectProp};
use url::Url;

use super::address::read_address;
use super::oauth::{self, OAuthFields};
use super::reader::{Reader, display_name};
use super::{display, env, headers, spellings};
use crate::{Header, ServerConfig, Template, Transport};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Sse,
    Stdio,
}

#[derive(Default)]
struct Fields<'a> {
    title: Option<String>,
    description: Option<String>,
    icon: Option<String>,
    kind: Option<Kind>,
    url: Option<Url>,
    headers: Option<Vec<Header>>,
    command: Option<Template>,
    args: Option<Vec<Template>>,
    env: Option<Vec<(String, Template)>>,
    env_file: Option<&'a ObjectProp<'a>>,
    cwd: Option<Template>,
    disabled: Option<bool>,
    oauth: OAuthFields,
    /// Whether the entry has a command, even an invalid one.
    has_command: bool,
    /// Whether the entry has an address, even an invalid one.
    has_url: bool,
}

/// The settings that help a person to recognise an entry with an error.
#[derive(Default)]
pub(crate) struct Known {
    pub title: Option<String>,
    pub url: Option<Url>,
    pub is_program: bool,
}

/// Parses one entry. Fails if the reader has errors of this entry.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
    object: &Object<'_>,
) -> Result<ServerConfig, Known> {
    let entries = reader.entries(object);
    let has = |name: &str| entries.iter().any(|entry| spellings::entry_field(entry.name.as_str()) == name);
    let mut fields = Fields { has_command: has("command"), has_url: has("url"), ..Fields::default() };
    for entry in &entries {
        read_field(reader, entry, &mut fields);
    }
    let kind = match fields.kind {
        Some(kind) => Some(kind),
        // The invalid `type` has already been reported.
        None if has("type") => None,
        None => guess_kind(reader, prop, &fields),
    };
    if let Some(kind) = kind {
        warn_ignored(reader, kind, &entries);
    }
    let headers = fields.headers.as_deref().unwrap_or_default();
    let off = headers.iter().any(|header| header.name.eq_ignore_ascii_case("authorization"));
    let oauth = oauth::finish(reader, prop, std::mem::take(&mut fields.oauth), off);
    let known = Known {
        title: fields.title.clone(),
        url: fields.url.clone(),
        is_program: kind.map_or(fields.has_command, |kind| kind == Kind::Stdio),
    };
    match kind.and_then(|kind| transport(reader, prop, kind, &mut fields)) {
        Some(transport) if reader.errors.is_empty() => Ok(ServerConfig {
            name: prop.name.as_str().to_owned(),
            title: fields.title,
            description: fields.description,
            icon: fields.icon,
            transport,
            oauth,
            disabled: fields.disabled.unwrap_or_default(),
            variables: std::mem::take(&mut reader.variables),
        }),
        Some(_) | None => Err(known),
    }
}

/// Builds the transport. Returns `None` if a required field is missing or invalid.
fn transport(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
    kind: Kind,
    fields: &mut Fields<'_>,
) -> Option<Transport> {
    let headers = fields.headers.take().unwrap_or_default();
    match kind {
        Kind::Http | Kind::Sse if !fields.has_url => {
            reader.error(&prop.name, "this server has no `url`", "Add \"url\": \"https://…\".");
            None
        }
        Kind::Stdio if !fields.has_command => {
            let hint = "Add \"command\": the program to run.";
            reader.error(&prop.name, "this server has no `command`", hint);
            None
        }
        Kind::Http => Some(Transport::Http { url: fields.url.take()?, headers }),
        Kind::Sse => Some(Transport::Sse { url: fields.url.take()?, headers }),
        Kind::Stdio => {
            let mut variables = fields.env.take().unwrap_or_default();
            if let Some(entry) = fields.env_file {
                env::add_file(reader, entry, &mut variables);
            }
            Some(Transport::Stdio {
                command: fields.command.take()?,
                args: fields.args.take().unwrap_or_default(),
                env: variables,
                cwd: fields.cwd.take(),
            })
        }
    }
}

fn read_field<'a>(reader: &mut Reader<'_>, entry: &'a ObjectProp<'a>, fields: &mut Fields<'a>) {
    let written = entry.name.as_str();
    let name = spellings::entry_field(written);
    if name != written {
        reader.warn_alias(entry, name);
    }
    match name {
        "title" => reader.set(&mut fields.title, entry, display::read_title),
        "description" => reader.set(&mut fields.description, entry, display::read_description),
        "icon" => reader.set(&mut fields.icon, entry, display::read_icon),
        "type" => reader.set(&mut fields.kind, entry, read_kind),
        "url" => reader.set(&mut fields.url, entry, read_address),
        "headers" => reader.set(&mut fields.headers, entry, headers::read),
        "command" => read_command(reader, entry, fields),
        "args" => reader.set(&mut fields.args, entry, Reader::templates),
        "env" => reader.set(&mut fields.env, entry, env::read),
        "envFile" => fields.env_file = Some(entry),
        "cwd" => reader.set(&mut fields.cwd, entry, Reader::template),
        "disabled" => reader.set(&mut fields.disabled, entry, Reader::boolean),
        "enabled" => {
            let message = "`enabled` is treated as the opposite of `disabled`".to_owned();
            reader.warn_spelling(entry, message, "disabled");
            reader.set(&mut fields.disabled, entry, |reader, entry| {
                reader.boolean(entry).map(|enabled| !enabled)
            });
        }
        "oauth" | "oauth_client_id" => oauth::read(reader, entry, &mut fields.oauth),
        _ => reader.warn_unknown(entry),
    }
}

/// Reads the program. In a list, as opencode writes it, the first item is the program and the others are arguments.
fn read_command(reader: &mut Reader<'_>, entry: &ObjectProp<'_>, fields: &mut Fields<'_>) {
    if entry.value.as_array().is_none() {
        return reader.set(&mut fields.command, entry, Reader::template);
    }
    let name = display_name(entry.name.as_str());
    let message = format!("`{name}` is a list: its first item is treated as `command`, the others as `args`");
    let hint = "Usher's names for them are `command` and `args`. `usher config format` rewrites them.";
    reader.warn(entry, message, hint);
    let Some(mut words) = reader.templates(entry) else { return };
    if words.is_empty() {
        reader.error(&entry.value, format!("`{name}` is an empty list"), "Add the program to run.");
        return;
    }
    let program = words.remove(0);
    reader.put(&mut fields.command, entry, program);
    if !words.is_empty() {
        reader.put(&mut fields.args, entry, words);
    }
}

fn read_kind(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<Kind> {
    let word = reader.string(entry)?;
    let canonical = spellings::server_type(&word);
    let kind = match canonical {
        "http" => Kind::Http,
        "sse" => Kind::Sse,
        "stdio" => Kind::Stdio,
        _ => {
            let message = format!("`{}` is not a server type", display_name(&word));
            reader.error(&entry.value, message, "Use http, sse or stdio.");
            return None;
        }
    };
    if canonical != word {
        reader.warn_spelling(&entry.value, format!("`{word}` is treated as `{canonical}`"), canonical);
    }
    Some(kind)
}

fn guess_kind(reader: &mut Reader<'_>, prop: &ObjectProp<'_>, fields: &Fields<'_>) -> Option<Kind> {
    let at = &prop.name;
    match (fields.has_command, fields.has_url) {
        (true, true) => {
            let hint = "Keep `url` for a remote service, or `command` for a program on this computer.";
            reader.error(at, "this server has both `command` and `url`, but no `type`", hint);
            None
        }
        // Every client treats such a server as `stdio`.
        (true, false) => Some(Kind::Stdio),
        (false, true) => {
            let message = "this server has no `type`; it is treated as `http` because it has a `url`";
            reader.warn(at, message, "Add \"type\": \"http\".");
            Some(Kind::Http)
        }
        (false, false) => {
            let hint = "Add \"type\": \"http\" and \"url\": \"https://…\".";
            reader.error(at, "this server has neither a `url` nor a `command`", hint);
            None
        }
    }
}

/// Warns about entries that only other types use.
fn warn_ignored(reader: &mut Reader<'_>, kind: Kind, entries: &[&ObjectProp<'_>]) {
    let (foreign, why): (&[&str], _) = match kind {
        Kind::Http | Kind::Sse => {
            (&["command", "args", "env", "envFile", "cwd"], "only a `stdio` server uses it")
        }
        Kind::Stdio => (&["url", "headers", "oauth", "oauth_client_id"], "a `stdio` server does not use it"),
    };
    for entry in entries {
        let name = entry.name.as_str();
        if foreign.contains(&spellings::entry_field(name)) {
            reader.warn(*entry, format!("`{name}` has no effect: {why}"), "");
        }
    }
}
