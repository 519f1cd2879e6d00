//! Secrets in plain text in the file or in one entry: hidden for an editor, and put back when its text is saved. Comments
//! are not searched.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use jsonc_parser::ast::{StringLit, Value};
use jsonc_parser::common::Ranged;

use crate::Diagnostic;
use crate::parse::syntax;
use crate::plain_secrets::HIDDEN;
use crate::secret_places::{Secret, in_entry, in_file};
use crate::text::problem;

/// The maximum number of reported places without a hidden value.
const MAX_MISPLACED: usize = 100;

/// Finds the secrets in a text, in its order.
type Find = for<'a> fn(&'a Value<'a>) -> Vec<Secret<'a>>;

/// Returns the text of a file with [`HIDDEN`] in place of each secret in plain text. A text that is not JSON is returned
/// unchanged, because its secrets cannot be found.
pub(crate) fn hide(body: &str) -> String {
    hide_with(body, in_file)
}

/// Does the same for the text of one entry.
pub(crate) fn hide_in_entry(entry: &str) -> String {
    hide_with(entry, in_entry)
}

/// Returns the text of a file with the secrets of `old` in place of [`HIDDEN`]. A secret returns only to its setting, and
/// only if it still goes to the same destination. The entry may have another name if exactly one old entry has this
/// destination. Fails with each place in `text` that has no hidden value, or if the text is not JSON.
pub(crate) fn restore(text: &str, old: &str) -> Result<String, Vec<Diagnostic>> {
    restore_with(text, old, in_file)
}

/// Does the same for the text of one entry.
pub(crate) fn restore_in_entry(entry: &str, old: &str) -> Result<String, Vec<Diagnostic>> {
    restore_with(entry, old, in_entry)
}

fn hide_with(text: &str, find: Find) -> String {
    let Ok(Some(root)) = syntax::parse(text) else { return text.to_owned() };
    let masked = |secret: Secret<'_>| (secret.range, serde_json::Value::from(secret.masked).to_string());
    replaced(text, find(&root).into_iter().map(masked))
}

fn restore_with(text: &str, old: &str, find: Find) -> Result<String, Vec<Diagnostic>> {
    let Some(root) = syntax::parse(text).map_err(|error| vec![error])? else { return Ok(text.to_owned()) };
    let old_root = syntax::parse(old).ok().flatten();
    let old_secrets: Vec<_> = old_root.iter().flat_map(find).collect();
    // The old values, by use and entry.
    let mut known: BTreeMap<_, BTreeMap<_, Vec<&str>>> = BTreeMap::new();
    let mut settings = HashSet::new();
    for Secret { entry, usage, range, .. } in &old_secrets {
        known.entry(usage).or_default().entry(entry).or_default().push(&old[range.clone()]);
        settings.insert((entry, &usage.setting));
    }
    let secrets = find(&root);
    let mut uses: BTreeMap<_, Vec<&Secret<'_>>> = BTreeMap::new();
    for secret in &secrets {
        uses.entry((&secret.usage, &secret.entry)).or_default().push(secret);
    }
    let mut values: Vec<(Range<usize>, &str)> = Vec::new();
    let mut moved = HashSet::new();
    for ((usage, entry), secrets) in uses {
        let old_values = known.get(usage).and_then(|entries| match entries.get(entry) {
            None if entries.len() == 1 => entries.values().next(),
            same => same,
        });
        let hidden = |secret: &&Secret<'_>| secret.is_hidden;
        if let Some(old_values) = old_values.filter(|old_values| old_values.len() == secrets.len()) {
            let pairs = secrets.into_iter().zip(old_values).filter(|(secret, _)| hidden(secret));
            values.extend(pairs.map(|(secret, value)| (secret.range.clone(), *value)));
        } else if old_values.is_none() && settings.contains(&(entry, &usage.setting)) {
            moved.extend(secrets.into_iter().filter(hidden).map(|secret| secret.range.start));
        }
    }
    values.sort_by_key(|(range, _)| range.start);
    // A person can also write the text, for example in a description.
    let own: HashSet<_> = old_root.iter().flat_map(hidden_texts).map(|literal| &literal.value).collect();
    let mut misplaced: Vec<_> = hidden_texts(&root);
    misplaced.retain(|literal| {
        values.binary_search_by_key(&literal.start(), |(range, _)| range.start).is_err()
            && (literal.value == HIDDEN || !own.contains(&literal.value))
    });
    if misplaced.is_empty() {
        return Ok(replaced(text, values.into_iter()));
    }
    let hint = "Enter the value again, or write the placeholder of a stored secret.";
    let problems = misplaced.iter().take(MAX_MISPLACED).map(|literal| {
        let message = match moved.contains(&literal.start()) {
            true => {
                format!("{HIDDEN} is not filled in, because the address or the command of its entry changed")
            }
            false => format!("{HIDDEN} is at a place where no value was hidden"),
        };
        problem(text, literal.start(), &message, Some(hint))
    });
    Err(problems.collect())
}

/// Returns the text with other strings in these places, which are in the order of the text.
fn replaced(text: &str, places: impl Iterator<Item = (Range<usize>, impl AsRef<str>)>) -> String {
    let mut output = String::with_capacity(text.len());
    let mut end = 0;
    for (range, value) in places {
        output.push_str(&text[end..range.start]);
        output.push_str(value.as_ref());
        end = range.end;
    }
    output.push_str(&text[end..]);
    output
}

/// Returns all strings that contain [`HIDDEN`].
fn hidden_texts<'a>(root: &'a Value<'a>) -> Vec<&'a StringLit<'a>> {
    let mut found = Vec::new();
    let mut open = vec![root];
    while let Some(value) = open.pop() {
        match value {
            Value::StringLit(literal) if literal.value.contains(HIDDEN) => found.push(literal),
            Value::Array(array) => open.extend(array.elements.iter().rev()),
            Value::Object(object) => open.extend(object.properties.iter().rev().map(|prop| &prop.value)),
            Value::StringLit(_) | Value::NumberLit(_) | Value::BooleanLit(_) | Value::NullKeyword(_) => {}
        }
    }
    found
}
