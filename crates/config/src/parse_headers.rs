//! The `headers` of a server: names and values that cannot smuggle in a header of their own.

use http::HeaderName;
use jsonc_parser::ast::ObjectProp;

use crate::reader::{Reader, shown};
use crate::server::is_forbidden_in_value;
use crate::{Header, Template};

/// Headers that the HTTP client or the MCP transport sets; another value would break the connection.
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
            let message = format!("the header `{}` stands here a second time", header.name);
            reader.error(prop, message, "Keep one of them; case does not matter in a header's name.");
        } else {
            headers.push(header);
        }
    }
    Some(headers)
}

fn read_header(reader: &mut Reader<'_>, prop: &ObjectProp<'_>) -> Option<Header> {
    let name = prop.name.as_str();
    let label = shown(name);
    if name.contains(['\r', '\n']) {
        let hint = "A header's name is one word, such as X-Api-Key.";
        reader.error(prop, format!("the header name `{label}` has a line break"), hint);
        return None;
    }
    let Ok(valid) = HeaderName::from_bytes(name.as_bytes()) else {
        let hint = "A header's name is one word, such as X-Api-Key.";
        reader.error(prop, format!("`{label}` cannot be a header's name"), hint);
        return None;
    };
    if RESERVED.contains(&valid.as_str()) {
        reader.error(prop, format!("the header `{label}` is set by Usher itself"), "Remove it.");
        return None;
    }
    let value = reader.template(prop)?;
    if value.source().contains(['\r', '\n']) {
        let hint = "Remove the line break; it could smuggle in another header.";
        reader.error(&prop.value, format!("the value of the header `{label}` has a line break"), hint);
        return None;
    }
    if value.source().chars().any(is_forbidden_in_value) {
        let message = format!("the value of the header `{label}` has a control character");
        reader.error(&prop.value, message, "Remove it.");
        return None;
    }
    if is_bare_secret(valid.as_str(), &value) {
        let message = format!("the header `{label}` seems to hold a secret in plain text");
        let hint = "Keep it with `usher secret set NAME` and write {{NAME}} here.";
        reader.warn(&prop.value, message, hint);
    }
    Some(Header { name: name.to_owned(), value })
}

fn is_bare_secret(name: &str, value: &Template) -> bool {
    let sounds_secret = ["authorization", "cookie", "key", "secret", "token", "password"];
    !value.has_holes() && sounds_secret.iter().any(|word| name.contains(word))
}
