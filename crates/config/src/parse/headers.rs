//! Parses the `headers` of a server and rejects header injection.

use http::HeaderName;
use jsonc_parser::ast::ObjectProp;

use super::reader::{Reader, display_name};
use crate::config::is_forbidden_in_value;
use crate::{Header, Template};

/// Headers that the HTTP client or the MCP transport sets. Other values would break the connection.
const RESERVED: [&str; 12] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub(crate) fn read(reader: &mut Reader<'_>, entry: &ObjectProp<'_>) -> Option<Vec<Header>> {
    let object = reader.object(entry)?;
    let mut headers: Vec<Header> = Vec::new();
    for prop in reader.entries(object) {
        let Some(header) = read_header(reader, prop) else { continue };
        if headers.iter().any(|earlier| earlier.name.eq_ignore_ascii_case(&header.name)) {
            let message = format!("duplicate header `{}`", header.name);
            reader.error(prop, message, "Remove one of them. Header names are case-insensitive.");
        } else {
            headers.push(header);
        }
    }
    Some(headers)
}

fn read_header(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<Header> {
    let name = prop.name.as_str();
    let label = display_name(name);
    if name.contains(['\r', '\n']) {
        let hint = "A header name is one word, such as X-Api-Key.";
        reader.error(prop, format!("the header name `{label}` contains a line break"), hint);
        return None;
    }
    let Ok(valid) = HeaderName::from_bytes(name.as_bytes()) else {
        let hint = "A header name is one word, such as X-Api-Key.";
        reader.error(prop, format!("`{label}` is not a valid header name"), hint);
        return None;
    };
    if RESERVED.contains(&valid.as_str()) {
        reader.error(prop, format!("the header `{label}` is set by Usher"), "Remove it.");
        return None;
    }
    let value = reader.template(prop)?;
    if value.source().contains(['\r', '\n']) {
        let hint = "Remove the line break. It could inject another header.";
        reader.error(&prop.value, format!("the value of the header `{label}` contains a line break"), hint);
        return None;
    }
    if value.source().chars().any(is_forbidden_in_value) {
        let message = format!("the value of the header `{label}` contains a control character");
        reader.error(&prop.value, message, "Remove it.");
        return None;
    }
    if is_plain_secret(valid.as_str(), &value) {
        let message = format!("the header `{label}` seems to contain a secret in plain text");
        let hint = "Store it with `usher secret set NAME` and write {{NAME}} here.";
        reader.warn(&prop.value, message, hint);
    }
    Some(Header { name: name.to_owned(), value })
}

/// Returns whether a header seems to contain a secret in plain text, instead of a placeholder.
pub fn is_plain_secret_header(name: &str, value: &str) -> bool {
    Template::parse(value).is_ok_and(|value| is_plain_secret(&name.to_ascii_lowercase(), &value))
}

fn is_plain_secret(name: &str, value: &Template) -> bool {
    let secret_words = ["authorization", "cookie", "key", "secret", "token", "password"];
    !value.has_placeholders() && secret_words.iter().any(|word| name.contains(word))
}
