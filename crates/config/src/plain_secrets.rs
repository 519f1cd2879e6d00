//! Secrets in plain text in an entry of `mcp.json`: recognised, and moved to the secret store.

use std::collections::HashSet;

use jsonc_parser::cst::{CstObject, CstObjectProp, CstRootNode};
use secrecy::SecretString;

use crate::parse::{is_plain_secret_header, spellings};
use crate::tree::{parse_root, property, text};
use crate::{ConfigError, Template, client_secret_name, header_secret_name, setting_secret_name};

/// The text that replaces a secret when a front end reads an entry.
pub const HIDDEN: &str = "[hidden]";

/// A secret that the person enters for a setting of an entry.
#[derive(Clone, Debug)]
pub struct GivenSecret {
    /// The keys that lead to the setting, in Usher's spelling, such as `headers` and `X-Api-Key`.
    pub setting: Vec<String>,
    pub value: SecretString,
}

/// A secret that was taken out of an entry, with the name of the placeholder in its place.
#[derive(Clone, Debug)]
pub struct TakenSecret {
    pub name: String,
    /// The keys that lead to the placeholder.
    pub setting: Vec<String>,
    pub value: SecretString,
}

/// A secret in plain text.
struct PlainSecret {
    /// The keys that lead to the value, in Usher's spelling.
    path: Vec<String>,
    prop: CstObjectProp,
    value: String,
}

/// Returns the keys that lead to the values that are [`HIDDEN`].
pub(crate) fn hidden(entry: &str) -> Result<Vec<Vec<String>>, ConfigError> {
    let found = secrets_in(&parse_root(entry)?);
    Ok(found.into_iter().filter(|secret| secret.value == HIDDEN).map(|secret| secret.path).collect())
}

/// Replaces each secret in plain text by a placeholder, and puts placeholders for the given secrets into their settings.
/// The names of the secrets begin with the server's and are not in `taken`.
pub(crate) fn take(
    entry: &str,
    server: &str,
    given: &[GivenSecret],
    taken: &HashSet<String>,
) -> Result<(String, Vec<TakenSecret>), ConfigError> {
    let root = parse_root(entry)?;
    let mut secrets: Vec<TakenSecret> = Vec::new();
    let mut add = |setting: Vec<String>, value: SecretString| {
        let proposed = match setting.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["headers", header] => header_secret_name(server, header),
            ["oauth", "clientSecret"] => client_secret_name(server),
            path => setting_secret_name(server, path),
        };
        let is_used = |name: &String| {
            taken.contains(name)
                || secrets.iter().any(|other| other.name == *name)
                // Another setting of this entry may have this placeholder. Its secret must not be replaced.
                || entry.contains(&format!("{{{{{name}}}}}"))
        };
        let mut name = proposed.clone();
        let mut number = 2;
        while is_used(&name) {
            name = format!("{proposed}-{number}");
            number += 1;
        }
        let placeholder = text(&format!("{{{{{name}}}}}"));
        secrets.push(TakenSecret { name, setting, value });
        placeholder
    };
    let object = root.object_value_or_set();
    for secret in given {
        let Some((last, parents)) = secret.setting.split_last() else { continue };
        let parent = parents.iter().fold(object.clone(), |object, key| object.object_value_or_set(key));
        let placeholder = add(secret.setting.clone(), secret.value.clone());
        match property(&parent, last) {
            Some(prop) => prop.set_value(placeholder),
            None => drop(parent.append(last, placeholder)),
        }
    }
    for secret in find(&object).into_iter().filter(|secret| secret.value != HIDDEN) {
        let placeholder = add(secret.path, SecretString::from(secret.value));
        secret.prop.set_value(placeholder);
    }
    Ok((root.to_string(), secrets))
}

fn secrets_in(root: &CstRootNode) -> Vec<PlainSecret> {
    root.object_value().map(|entry| find(&entry)).unwrap_or_default()
}

fn find(entry: &CstObject) -> Vec<PlainSecret> {
    let mut found = Vec::new();
    for (name, prop) in named(entry) {
        let Some(object) = prop.object_value() else { continue };
        match spellings::entry_field(&name) {
            "headers" => note(&mut found, &["headers"], &object, is_secret_header),
            "env" => note(&mut found, &["env"], &object, is_secret_variable),
            "oauth" => {
                note(&mut found, &["oauth"], &object, is_secret_setting);
                for (name, prop) in named(&object).filter(|(name, _)| name == "identityProvider") {
                    let provider = prop.object_value();
                    let path = ["oauth", name.as_str()];
                    provider.iter().for_each(|provider| note(&mut found, &path, provider, is_secret_setting));
                }
            }
            _ => {}
        }
    }
    found
}

fn note(
    found: &mut Vec<PlainSecret>,
    path: &[&str],
    object: &CstObject,
    is_secret: impl Fn(&str, &str) -> bool,
) {
    for (name, prop) in named(object) {
        let value = prop.value().and_then(|value| value.as_string_lit()?.decoded_value().ok());
        let name = match path {
            ["oauth", ..] => spellings::oauth_field(&name).to_owned(),
            _ => name,
        };
        if let Some(value) = value.filter(|value| !value.is_empty() && is_secret(&name, value)) {
            let path = path.iter().map(|key| (*key).to_owned()).chain([name]).collect();
            found.push(PlainSecret { path, prop, value });
        }
    }
}

fn named(object: &CstObject) -> impl Iterator<Item = (String, CstObjectProp)> {
    object.properties().into_iter().filter_map(|prop| Some((prop.decoded_name()?, prop)))
}

pub(crate) fn is_secret_header(name: &str, value: &str) -> bool {
    is_plain_secret_header(name, "") && is_plain(value)
}

/// Returns whether a setting of `oauth`, in Usher's spelling, is a secret.
pub(crate) fn is_secret_setting(name: &str, value: &str) -> bool {
    matches!(name, "clientSecret" | "privateKey" | "assertion" | "idToken") && is_plain(value)
}

pub(crate) fn is_secret_variable(name: &str, value: &str) -> bool {
    has_secret_name(name) && is_plain(value)
}

/// Returns whether a variable of a program has a name that usually belongs to a secret.
pub fn has_secret_name(variable: &str) -> bool {
    let name = variable.to_ascii_lowercase();
    let words = ["key", "secret", "token", "password", "passwd", "credential", "authorization"];
    words.iter().any(|word| name.contains(word))
}

/// Returns whether a value has no placeholder. A value with an invalid placeholder may be a secret, too.
pub(crate) fn is_plain(value: &str) -> bool {
    !Template::parse(value).is_ok_and(|value| value.has_placeholders())
}
