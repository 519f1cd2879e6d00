//! The places of secrets in plain text in the text of `mcp.json`, each with its destination.

use std::ops::Range;
use std::rc::Rc;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use serde_json::json;

use crate::Origin;
use crate::entry_place::version;
use crate::parse::{SERVERS, spellings};
use crate::plain_secrets::{HIDDEN, is_secret_header, is_secret_setting, is_secret_variable};

/// The keys under which clients list servers. Usher ignores all but the first, but does not show their secrets.
const LISTS: [&str; 3] = [SERVERS, "servers", "context_servers"];

/// A secret in plain text.
#[derive(Debug)]
pub(crate) struct Secret<'a> {
    /// The keys that lead to its entry. Several entries have the same keys if a name is repeated.
    pub entry: [&'a str; 2],
    pub usage: Usage<'a>,
    /// The string with its quotes.
    pub range: Range<usize>,
    pub is_hidden: bool,
}

/// The use of a secret by its entry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Usage<'a> {
    /// The keys in the entry that lead to the secret, in Usher's spelling.
    pub setting: Vec<&'a str>,
    /// The digest of the origins or the program that get the secret.
    destination: Rc<str>,
}

/// Finds the secrets in all entries of a file, in the order of the text.
pub(crate) fn in_file<'a>(root: &'a Value<'a>) -> Vec<Secret<'a>> {
    let mut found = Vec::new();
    for list in root.as_object().iter().flat_map(|root| &root.properties) {
        let key = list.name.as_str();
        let Some(servers) = list.value.as_object().filter(|_| LISTS.contains(&key)) else { continue };
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

fn find<'a>(entry: &'a Value<'a>, keys: [&'a str; 2], found: &mut Vec<Secret<'a>>) {
    let Some(entry) = entry.as_object() else { return };
    let first = found.len();
    let server = origins(entry, spellings::entry_field, &["url"]);
    for prop in &entry.properties {
        let Some(object) = prop.value.as_object() else { continue };
        let mut note = |setting, object, canonical, is_secret, destination: serde_json::Value| {
            let usage = Usage { setting, destination: version(destination.to_string()).into() };
            note(object, keys, &usage, canonical, is_secret, found);
        };
        match spellings::entry_field(prop.name.as_str()) {
            "headers" => note(vec!["headers"], object, as_written, is_secret_header, json!(server)),
            "env" => note(vec!["env"], object, as_written, is_secret_variable, program(entry)),
            "oauth" => {
                let endpoints = ["authorizationUrl", "tokenUrl", "deviceAuthorizationUrl"];
                let endpoints = origins(object, spellings::oauth_field, &endpoints);
                let destination = json!([server, endpoints]);
                note(vec!["oauth"], object, spellings::oauth_field, is_secret_setting, destination);
                for prop in object.properties.iter().filter(|prop| prop.name.as_str() == "identityProvider") {
                    let Some(provider) = prop.value.as_object() else { continue };
                    let destination = json!(origins(provider, spellings::oauth_field, &["tokenUrl"]));
                    let setting = vec!["oauth", "identityProvider"];
                    note(setting, provider, spellings::oauth_field, is_secret_setting, destination);
                }
            }
            _ => {}
        }
    }
    // The settings of an identity provider can come before a client secret.
    found[first..].sort_by_key(|secret| secret.range.start);
}

fn note<'a>(
    object: &'a Object<'a>,
    entry: [&'a str; 2],
    usage: &Usage<'a>,
    canonical: fn(&str) -> &str,
    is_secret: fn(&str, &str) -> bool,
    found: &mut Vec<Secret<'a>>,
) {
    for prop in &object.properties {
        let Some(value) = prop.value.as_string_lit().map(|literal| literal.value.as_ref()) else { continue };
        let name = canonical(prop.name.as_str());
        if !value.is_empty() && is_secret(name, value) {
            let mut usage = usage.clone();
            usage.setting.push(name);
            let range = prop.value.start()..prop.value.end();
            found.push(Secret { entry, usage, range, is_hidden: value == HIDDEN });
        }
    }
}

fn as_written(name: &str) -> &str {
    name
}

/// Returns the command with its arguments, and the folder in which it runs.
fn program(entry: &Object<'_>) -> serde_json::Value {
    let texts = |name| texts(entry, spellings::entry_field, name);
    // In a list, the first item is the command.
    let command: Vec<_> = texts("command").chain(texts("args")).collect();
    json!([command, texts("cwd").collect::<Vec<_>>()])
}

/// Returns the origins of these addresses. An address without a known origin stays as it is.
fn origins(object: &Object<'_>, canonical: fn(&str) -> &str, names: &[&str]) -> Vec<Vec<String>> {
    let origin = |address: &str| match address.parse::<Origin>() {
        // A variable can be a part of the host.
        Ok(origin) if !address.contains("${") => origin.to_string(),
        Ok(_) | Err(_) => address.to_owned(),
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
