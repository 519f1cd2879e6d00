//! The place of an entry in the text of `mcp.json`.

use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged;
use sha2::{Digest, Sha256};

use crate::parse::{SERVERS, syntax};
use crate::text::problem;
use crate::{Config, ConfigError, Diagnostic};

/// Returns the body with this text as the value of an entry that exists.
pub(crate) fn put(body: &str, key: &str, entry: &str) -> Result<String, ConfigError> {
    let invalid = |diagnostic: Diagnostic| ConfigError::InvalidServer {
        why: diagnostic.message.clone(),
        hint: diagnostic.hint,
    };
    let object = entry[object_range(entry).map_err(invalid)?].replace("\r\n", "\n");
    let value = syntax::parse(body).map_err(invalid)?;
    let prop = value.as_ref().and_then(|root| server_prop(root, key)).ok_or_else(|| no_such_server(key))?;
    let line_end = if body.contains("\r\n") { "\r\n" } else { "\n" };
    let object = object.replace('\n', &format!("{line_end}{}", indent_of(body, prop.start())));
    Ok(format!("{}{object}{}", &body[..prop.value.start()], &body[prop.value.end()..]))
}

/// Returns the text of an entry without the indentation of its place.
pub(crate) fn entry_in(body: &str, key: &str) -> Option<String> {
    let value = syntax::parse(body).ok()??;
    server_prop(&value, key).map(|prop| dedented(body, prop))
}

/// Returns the digest of an entry or of the file.
pub(crate) fn version(contents: impl AsRef<[u8]>) -> String {
    Sha256::digest(contents).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the key of an entry in the file.
pub(crate) fn key_of<'a>(config: &'a Config, name: &'a str) -> &'a str {
    config.broken(name).map_or(name, |broken| &broken.key)
}

pub(crate) fn no_such_server(name: &str) -> ConfigError {
    ConfigError::NoSuchServer { name: name.to_owned() }
}

pub(crate) fn property<'a>(object: &'a Object<'a>, name: &str) -> Option<&'a ObjectProp<'a>> {
    object.properties.iter().find(|prop| prop.name.as_str() == name)
}

fn server_prop<'a>(root: &'a Value<'a>, key: &str) -> Option<&'a ObjectProp<'a>> {
    property(property(root.as_object()?, SERVERS)?.value.as_object()?, key)
}

pub(crate) fn dedented(body: &str, prop: &ObjectProp<'_>) -> String {
    without_indent(&body[prop.value.start()..prop.value.end()], indent_of(body, prop.start()))
}

/// Returns an object without the indentation of its end, if its end has a line of its own and its members are indented
/// further. An object from the middle of a text has such an indentation.
pub(crate) fn outdented(object: &str) -> String {
    let lines: Vec<_> = object.split('\n').collect();
    let indent_at = |index: usize| indent_of(lines.get(index).copied().unwrap_or_default(), 0);
    let end = indent_at(lines.len() - 1);
    let is_usual = lines.last() == Some(&format!("{end}}}").as_str()) && indent_at(1).len() > end.len();
    without_indent(object, if is_usual { end } else { "" })
}

fn without_indent(text: &str, indent: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let mut lines = text.split('\n');
    let mut dedented = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        dedented.push('\n');
        dedented.push_str(line.strip_prefix(indent).unwrap_or(line.trim_start()));
    }
    dedented
}

/// Returns the white space at the beginning of the line of a byte offset.
fn indent_of(body: &str, offset: usize) -> &str {
    let line = &body[body[..offset].rfind('\n').map_or(0, |end| end + 1)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Returns the place of the only object in a text.
pub(crate) fn object_range(text: &str) -> Result<Range<usize>, Diagnostic> {
    match syntax::parse(text)? {
        Some(Value::Object(object)) => Ok(object.start()..object.end()),
        Some(_) | None => Err(problem(text, 0, "the entry must be an object in `{ }`", None)),
    }
}

/// Returns white space with the same lines and columns as the text.
pub(crate) fn blank(text: &str) -> String {
    text.chars().map(|character| if character == '\n' { '\n' } else { ' ' }).collect()
}
