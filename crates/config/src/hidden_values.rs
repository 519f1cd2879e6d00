//! Secrets in plain text in the whole file: hidden for an editor, and put back when its text is saved.

use std::collections::BTreeMap;
use std::ops::Range;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;

use crate::Diagnostic;
use crate::parse::{SERVERS, spellings, syntax};
use crate::plain_secrets::{HIDDEN, is_secret_header, is_secret_setting, is_secret_variable};
use crate::text::problem;

/// The keys under which clients list servers. Usher ignores all but the first, but does not show their secrets.
const LISTS: [&str; 3] = [SERVERS, "servers", "context_servers"];

/// The maximum number of reported places without a hidden value.
const MAX_MISPLACED: usize = 100;

/// The keys that lead to a value. Several values have the same keys if a name is repeated.
type Place = Vec<String>;

/// A secret in plain text.
struct Secret {
    place: Place,
    /// The string with its quotes.
    range: Range<usize>,
    is_hidden: bool,
}

/// Returns the text with [`HIDDEN`] in place of each secret in plain text. A text that is not JSON is returned unchanged,
/// because its secrets cannot be found.
pub(crate) fn hide(body: &str) -> String {
    let Ok(Some(root)) = syntax::parse(body) else { return body.to_owned() };
    let hidden = format!("\"{HIDDEN}\"");
    replaced(body, secrets_in(&root).into_iter().map(|secret| (secret.range, hidden.as_str())))
}

/// Returns the text with the secrets of `old` in place of [`HIDDEN`]. A hidden value must stay where it was. Fails with
/// each place in `text` where no value was hidden, or if the text is not JSON.
pub(crate) fn restore(text: &str, old: &str) -> Result<String, Vec<Diagnostic>> {
    let Some(root) = syntax::parse(text).map_err(|error| vec![error])? else { return Ok(text.to_owned()) };
    let old_root = syntax::parse(old).ok().flatten();
    let mut known: BTreeMap<Place, Vec<&str>> = BTreeMap::new();
    for secret in old_root.iter().flat_map(secrets_in) {
        known.entry(secret.place).or_default().push(&old[secret.range]);
    }
    let mut places: BTreeMap<Place, Vec<Secret>> = BTreeMap::new();
    for secret in secrets_in(&root) {
        places.entry(secret.place.clone()).or_default().push(secret);
    }
    let mut values: Vec<(Range<usize>, &str)> = Vec::new();
    for (place, secrets) in places {
        let Some(known) = known.get(&place).filter(|known| known.len() == secrets.len()) else { continue };
        let pairs = secrets.into_iter().zip(known).filter(|(secret, _)| secret.is_hidden);
        values.extend(pairs.map(|(secret, value)| (secret.range, *value)));
    }
    values.sort_by_key(|(range, _)| range.start);
    let mut misplaced = Vec::new();
    find_hidden(&root, &mut misplaced);
    misplaced.retain(|range| values.binary_search_by_key(&range.start, |(range, _)| range.start).is_err());
    if misplaced.is_empty() {
        return Ok(replaced(text, values.into_iter()));
    }
    let message = format!("{HIDDEN} is at a place where no value was hidden");
    let hint = "Enter the value again, or write the placeholder of a stored secret.";
    let shown = misplaced.iter().take(MAX_MISPLACED);
    Err(shown.map(|range| problem(text, range.start, &message, Some(hint))).collect())
}

/// Returns the text with other strings in these places, which are in the order of the text.
fn replaced<'a>(text: &str, places: impl Iterator<Item = (Range<usize>, &'a str)>) -> String {
    let mut output = String::with_capacity(text.len());
    let mut end = 0;
    for (range, value) in places {
        output.push_str(&text[end..range.start]);
        output.push_str(value);
        end = range.end;
    }
    output.push_str(&text[end..]);
    output
}

fn secrets_in(root: &Value<'_>) -> Vec<Secret> {
    let mut found = Vec::new();
    for list in root.as_object().iter().flat_map(|root| &root.properties) {
        let key = list.name.as_str();
        let Some(servers) = list.value.as_object().filter(|_| LISTS.contains(&key)) else { continue };
        for entry in &servers.properties {
            if let Some(object) = entry.value.as_object() {
                find(object, &[key, entry.name.as_str()], &mut found);
            }
        }
    }
    // The settings of an identity provider can come after a client secret.
    found.sort_by_key(|secret| secret.range.start);
    found
}

fn find(entry: &Object<'_>, path: &[&str], found: &mut Vec<Secret>) {
    for prop in &entry.properties {
        let Some(object) = prop.value.as_object() else { continue };
        let field = spellings::entry_field(prop.name.as_str());
        let path = [path, &[field]].concat();
        match field {
            "headers" => note(object, &path, found, as_written, is_secret_header),
            "env" => note(object, &path, found, as_written, is_secret_variable),
            "oauth" => {
                for prop in &object.properties {
                    let name = prop.name.as_str();
                    if let Some(provider) = prop.value.as_object().filter(|_| name == "identityProvider") {
                        let path = [path.as_slice(), &[name]].concat();
                        note(provider, &path, found, spellings::oauth_field, is_secret_setting);
                    }
                }
                note(object, &path, found, spellings::oauth_field, is_secret_setting);
            }
            _ => {}
        }
    }
}

fn note(
    object: &Object<'_>,
    path: &[&str],
    found: &mut Vec<Secret>,
    canonical: fn(&str) -> &str,
    is_secret: fn(&str, &str) -> bool,
) {
    for prop in &object.properties {
        let Some(value) = prop.value.as_string_lit().map(|literal| literal.value.as_ref()) else { continue };
        let name = canonical(prop.name.as_str());
        if !value.is_empty() && is_secret(name, value) {
            let place = path.iter().chain([&name]).map(|key| (*key).to_owned()).collect();
            let range = prop.value.start()..prop.value.end();
            found.push(Secret { place, range, is_hidden: value == HIDDEN });
        }
    }
}

fn as_written(name: &str) -> &str {
    name
}

/// Finds all strings that are [`HIDDEN`].
fn find_hidden(value: &Value<'_>, found: &mut Vec<Range<usize>>) {
    match value {
        Value::StringLit(text) if text.value == HIDDEN => found.push(text.start()..text.end()),
        Value::Array(array) => array.elements.iter().for_each(|element| find_hidden(element, found)),
        Value::Object(object) => object.properties.iter().for_each(|prop| find_hidden(&prop.value, found)),
        Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
    }
}
