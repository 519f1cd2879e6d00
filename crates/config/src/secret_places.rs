//! The places of secrets in plain text in the text of `mcp.json`, each with its destination.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use serde_json::json;

use crate::Origin;
use crate::entry_place::version;
use crate::parse::{SERVERS, spellings};
use crate::plain_secrets::{HIDDEN, is_secret_header, is_secret_setting, is_secret_variable};
use crate::secret_texts::{masked, masked_argument};

/// The keys under which clients list servers. Usher ignores all but the first, but does not show their secrets.
const LISTS: [&str; 3] = [SERVERS, "servers", "context_servers"];

/// A string that is a secret in plain text, or contains one.
#[derive(Debug)]
pub(crate) struct Secret<'a> {
    /// The keys that lead to its entry. Several entries have the same keys if a name is repeated.
    pub entry: [&'a str; 2],
    pub usage: Usage<'a>,
    /// The string with its quotes.
    pub range: Range<usize>,
    /// The string with [`HIDDEN`] in place of each secret.
    pub masked: String,
    /// Whether all secrets of the string are [`HIDDEN`].
    pub is_hidden: bool,
}

/// The use of a secret by its entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Usage<'a> {
    /// The keys in the entry that lead to the secret, in Usher's spelling.
    pub setting: Vec<&'a str>,
    /// The digest of the origins or the program that get the secret, and of the text around it.
    destination: Rc<str>,
}

/// The settings of an entry that have the same destination.
struct Group<'a> {
    entry: [&'a str; 2],
    keys: Vec<&'a str>,
    /// The digest of the destination.
    destination: Rc<str>,
}

/// Finds the secrets in all entries of a file, in the order of the text. A name that begins with `_` marks a comment, which
/// can be an old entry or setting.
pub(crate) fn in_file<'a>(root: &'a Value<'a>) -> Vec<Secret<'a>> {
    let mut found = Vec::new();
    for list in root.as_object().iter().flat_map(|root| &root.properties) {
        let key = list.name.as_str();
        let is_list = LISTS.contains(&key.trim_start_matches('_'));
        let Some(servers) = list.value.as_object().filter(|_| is_list) else { continue };
        for entry in &servers.properties {
            find(&entry.value, [key, entry.name.as_str()], &mut found);
        }
    }
    found
}

/// Finds the secrets in the text of one entry, in its order.
pub(crate) fn in_entry<'a>(entry: &'a Value<'a>) -> Vec<Secret<'a>> {
    let mut found = Vec::new();
    find(entry, Default::default(), &mut found);
    found
}

fn find<'a>(value: &'a Value<'a>, entry: [&'a str; 2], found: &mut Vec<Secret<'a>>) {
    let Some(object) = value.as_object() else { return };
    let first = found.len();
    let server = origins(object, spellings::entry_field, &["url"]);
    let (of_server, of_program) = (digest(&json!(server)), digest(&program(object)));
    let group = |keys: &[&'a str], destination: &Rc<str>| {
        let (keys, destination) = (keys.to_vec(), Rc::clone(destination));
        Group { entry, keys, destination }
    };
    for prop in &object.properties {
        let (field, key) = field_and_key(prop.name.as_str(), spellings::entry_field);
        match (field, &prop.value) {
            ("url", value) => note(value, masked, &group(&[key], &of_server), found),
            ("command" | "args", Value::Array(arguments)) => {
                let mut before = None;
                for argument in &arguments.elements {
                    let is_secret = |text: &str| masked_argument(before, text);
                    note(argument, is_secret, &group(&["args"], &of_program), found);
                    before = argument.as_string_lit().map(|literal| literal.value.as_ref());
                }
            }
            ("headers", Value::Object(headers)) => {
                note_all(headers, as_written, is_secret_header, &group(&[key], &of_server), found);
            }
            ("env", Value::Object(variables)) => {
                note_all(variables, as_written, is_secret_variable, &group(&[key], &of_program), found);
            }
            ("oauth", Value::Object(oauth)) => {
                let endpoints = ["authorizationUrl", "tokenUrl", "deviceAuthorizationUrl"];
                let endpoints = origins(oauth, spellings::oauth_field, &endpoints);
                let settings = group(&[key], &digest(&json!([server, endpoints])));
                note_all(oauth, spellings::oauth_field, is_secret_setting, &settings, found);
                for prop in &oauth.properties {
                    let ("identityProvider", name) = field_and_key(prop.name.as_str(), as_written) else {
                        continue;
                    };
                    let Some(provider) = prop.value.as_object() else { continue };
                    let destination = json!(origins(provider, spellings::oauth_field, &["tokenUrl"]));
                    let settings = group(&[key, name], &digest(&destination));
                    note_all(provider, spellings::oauth_field, is_secret_setting, &settings, found);
                }
            }
            _ => {}
        }
    }
    // The settings of an identity provider can come before a client secret.
    found[first..].sort_by_key(|secret| secret.range.start);
}

/// Returns the field that a name means, and the key that stands for it in a place. A comment is not the same place.
fn field_and_key(name: &str, canonical: fn(&str) -> &str) -> (&str, &str) {
    match name.strip_prefix('_') {
        Some(rest) => (canonical(rest.trim_start_matches('_')), name),
        None => (canonical(name), canonical(name)),
    }
}

fn note_all<'a>(
    object: &'a Object<'a>,
    canonical: fn(&str) -> &str,
    is_secret: fn(&str, &str) -> bool,
    group: &Group<'a>,
    found: &mut Vec<Secret<'a>>,
) {
    for prop in &object.properties {
        let (name, key) = field_and_key(prop.name.as_str(), canonical);
        let keys = group.keys.iter().copied().chain([key]).collect();
        let group = Group { keys, destination: Rc::clone(&group.destination), ..*group };
        let mask = |text: &str| if is_secret(name, text) { Some(HIDDEN.to_owned()) } else { masked(text) };
        note(&prop.value, mask, &group, found);
    }
}

/// Notes a string that contains secrets. `mask` hides them.
fn note<'a>(
    value: &'a Value<'a>,
    mask: impl Fn(&str) -> Option<String>,
    group: &Group<'a>,
    found: &mut Vec<Secret<'a>>,
) {
    let Some(literal) = value.as_string_lit().filter(|literal| !literal.value.is_empty()) else { return };
    let Some(masked) = mask(&literal.value) else { return };
    let destination = digest(&json!([&*group.destination, masked]));
    found.push(Secret {
        entry: group.entry,
        usage: Usage { setting: group.keys.clone(), destination },
        range: value.start()..value.end(),
        is_hidden: literal.value == masked,
        masked,
    });
}

fn digest(value: &serde_json::Value) -> Rc<str> {
    version(value.to_string()).into()
}

fn as_written(name: &str) -> &str {
    name
}

/// Returns the command with its arguments, and the folder in which it runs, without secrets.
fn program(entry: &Object<'_>) -> serde_json::Value {
    let texts = |name| texts(entry, spellings::entry_field, name);
    // In a list, the first item is the command.
    let mut before = None;
    let words = texts("command").chain(texts("args")).map(|word| {
        let shown = masked_argument(before.replace(word), word);
        shown.map_or(Cow::Borrowed(word), Cow::Owned)
    });
    json!([words.collect::<Vec<_>>(), texts("cwd").collect::<Vec<_>>()])
}

/// Returns the origins of these addresses. An address without a known origin stays as it is, without secrets.
fn origins(object: &Object<'_>, canonical: fn(&str) -> &str, names: &[&str]) -> Vec<Vec<String>> {
    let origin = |address: &str| match address.parse::<Origin>() {
        // A variable can be a part of the host.
        Ok(origin) if !address.contains("${") => origin.to_string(),
        Ok(_) | Err(_) => masked(address).unwrap_or_else(|| address.to_owned()),
    };
    names.iter().map(|name| texts(object, canonical, name).map(origin).collect()).collect()
}

/// Returns the values of a setting: a string, or a list of strings.
fn texts<'a>(
    object: &'a Object<'a>,
    canonical: fn(&str) -> &str,
    name: &str,
) -> impl Iterator<Item = &'a str> {
    let props = object.properties.iter().filter(move |prop| canonical(prop.name.as_str()) == name);
    let values = props.flat_map(|prop| match &prop.value {
        Value::Array(array) => array.elements.iter().collect(),
        value => vec![value],
    });
    values.filter_map(|value| value.as_string_lit().map(|literal| literal.value.as_ref()))
}
