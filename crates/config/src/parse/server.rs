//! Parses one entry of `mcpServers`.

use jsonc_parser::ast::{Object, ObjectProp};
use url::Url;

use super::address::read_address;
use super::headers;
use super::oauth::{self, OAuthFields};
use super::reader::{Reader, display_name};
use crate::{Header, ServerConfig, Template, Transport};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Http,
    Sse,
    Stdio,
}

#[derive(Default)]
struct Fields {
    kind: Option<Kind>,
    url: Option<Url>,
    headers: Option<Vec<Header>>,
    command: Option<Template>,
    args: Option<Vec<Template>>,
    env: Option<Vec<(String, Template)>>,
    cwd: Option<Template>,
    disabled: Option<bool>,
    oauth: OAuthFields,
}

/// Parses one entry. Returns `None` after an error.
pub(crate) fn read(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
    object: &Object<'_>,
) -> Option<ServerConfig> {
    let errors_before = reader.errors.len();
    reader.variables.clear();
    let entries = reader.entries(object);
    let has = |name: &str| entries.iter().any(|entry| entry.name.as_str() == name);
    let (has_command, has_url) = (has("command"), has("url"));
    let mut fields = Fields::default();
    for entry in &entries {
        read_field(reader, entry, &mut fields);
    }
    let kind = match fields.kind {
        Some(kind) => kind,
        // The invalid `type` has already been reported.
        None if has("type") || has("transport") => return None,
        None => guess_kind(reader, prop, has_command, has_url)?,
    };
    warn_ignored(reader, kind, &entries);
    let headers = fields.headers.unwrap_or_default();
    let off = headers.iter().any(|header| header.name.eq_ignore_ascii_case("authorization"));
    let oauth = oauth::finish(reader, prop, fields.oauth, off);
    let transport = match kind {
        Kind::Http | Kind::Sse if !has_url => {
            reader.error(&prop.name, "this server has no `url`", "Add \"url\": \"https://…\".");
            return None;
        }
        Kind::Stdio if !has_command => {
            let hint = "Add \"command\": the program to run.";
            reader.error(&prop.name, "this server has no `command`", hint);
            return None;
        }
        Kind::Http => Transport::Http { url: fields.url?, headers },
        Kind::Sse => Transport::Sse { url: fields.url?, headers },
        Kind::Stdio => Transport::Stdio {
            command: fields.command?,
            args: fields.args.unwrap_or_default(),
            env: fields.env.unwrap_or_default(),
            cwd: fields.cwd,
        },
    };
    (reader.errors.len() == errors_before).then(|| ServerConfig {
        name: prop.name.as_str().to_owned(),
        transport,
        oauth,
        disabled: fields.disabled.unwrap_or_default(),
        variables: std::mem::take(&mut reader.variables),
    })
}

fn read_field(reader: &mut Reader<'_>, entry: &ObjectProp<'_>, fields: &mut Fields) {
    match entry.name.as_str() {
        "type" => reader.set(&mut fields.kind, entry, read_kind),
        "transport" => {
            reader.warn_alias(entry, "type");
            reader.set(&mut fields.kind, entry, read_kind);
        }
        "url" => fields.url = read_address(reader, entry),
        "headers" => fields.headers = headers::read(reader, entry),
        "command" => fields.command = reader.template(entry),
        "args" => fields.args = reader.templates(entry),
        "env" => fields.env = read_env(reader, entry),
        "cwd" => fields.cwd = reader.template(entry),
        "disabled" => fields.disabled = reader.boolean(entry),
        "oauth" | "auth" | "oauth_client_id" => oauth::read(reader, entry, &mut fields.oauth),
        _ => reader.warn_unknown(entry),
    }
}

fn read_kind(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<Kind> {
    let word = reader.string(entry)?;
    match word.as_str() {
        "http" => Some(Kind::Http),
        "sse" => Some(Kind::Sse),
        "stdio" => Some(Kind::Stdio),
        "streamable-http" | "streamableHttp" | "streamable_http" => {
            let message = format!("`{word}` is treated as `http`");
            reader.warn(&entry.value, message, "Usher's name for it is `http`.");
            Some(Kind::Http)
        }
        _ => {
            let message = format!("`{}` is not a server type", display_name(&word));
            reader.error(&entry.value, message, "Use http, sse or stdio.");
            None
        }
    }
}

fn guess_kind(
    reader: &mut Reader<'_>,
    prop: &ObjectProp<'_>,
    has_command: bool,
    has_url: bool,
) -> Option<Kind> {
    let at = &prop.name;
    match (has_command, has_url) {
        (true, true) => {
            let hint = "Keep `url` for a remote service, or `command` for a program on this computer.";
            reader.error(at, "this server has both `command` and `url`, but no `type`", hint);
            None
        }
        (true, false) => {
            let message = "this server has no `type`; it is treated as `stdio` because it has a `command`";
            reader.warn(at, message, "Add \"type\": \"stdio\".");
            Some(Kind::Stdio)
        }
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
        Kind::Http | Kind::Sse => (&["command", "args", "env", "cwd"], "only a `stdio` server uses it"),
        Kind::Stdio => {
            (&["url", "headers", "oauth", "auth", "oauth_client_id"], "a `stdio` server does not use it")
        }
    };
    for entry in entries.iter().filter(|entry| foreign.contains(&entry.name.as_str())) {
        reader.warn(*entry, format!("`{}` has no effect: {why}", entry.name.as_str()), "");
    }
}

fn read_env(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<Vec<(String, Template)>> {
    let object = reader.object(entry)?;
    let mut env = Vec::new();
    // A name that begins with `_` is a variable here, not a comment.
    for variable in &object.properties {
        let name = variable.name.as_str();
        if name.is_empty() || name.contains(['=', '\0']) {
            let message = format!("`{}` is not a valid environment variable name", display_name(name));
            reader.error(variable, message, "Use letters, digits and `_`.");
        } else if let Some(value) = reader.template(variable) {
            env.push((name.to_owned(), value));
        }
    }
    Some(env)
}
