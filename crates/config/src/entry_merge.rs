//! Changes to the text of an entry that keep its comments: only the members that differ are written.

use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstObjectProp};
use jsonc_parser::parse_to_serde_value;
use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::ConfigError;
use crate::parse::syntax;
use crate::tree::parse_root;

/// The items of the longest list that is compared item by item. A longer list is replaced.
const LONGEST_LIST: usize = 1000;

/// Returns `text` with the values of `changed`, which is JSON without comments. A comment stays, unless its member is
/// removed.
pub(crate) fn merge(text: &str, changed: &str) -> Result<String, ConfigError> {
    let parsed = |text: &str| parse_to_serde_value::<Value>(text, &syntax::options()).ok();
    let (Some(before), Some(after)) = (parsed(text), parsed(changed)) else { return Err(failed()) };
    let (Value::Object(members), Value::Object(new)) = (&before, &after) else { return Err(failed()) };
    let root = parse_root(text)?;
    change_object(&root.object_value().ok_or_else(failed)?, members, new);
    let merged = root.to_string();
    if parsed(&merged).is_some_and(|merged| is_same(&merged, &after)) { Ok(merged) } else { Err(failed()) }
}

fn failed() -> ConfigError {
    ConfigError::InvalidServer {
        why: "its comments cannot be kept".to_owned(),
        hint: Some("Edit the entry as JSON.".to_owned()),
    }
}

fn change(node: &CstNode, before: &Value, after: &Value) {
    if is_same(before, after) {
        return;
    }
    if let (Some(object), Value::Object(before), Value::Object(after)) = (node.as_object(), before, after) {
        return change_object(&object, before, after);
    }
    if let (Some(array), Value::Array(before), Value::Array(after)) = (node.as_array(), before, after)
        && before.len().max(after.len()) <= LONGEST_LIST
    {
        return change_array(&array, before, after);
    }
    replace(node, input(after));
}

fn change_object(object: &CstObject, before: &Map<String, Value>, after: &Map<String, Value>) {
    let mut added: Vec<_> = after.iter().filter(|(name, _)| !before.contains_key(*name)).collect();
    for prop in object.properties() {
        let Some((name, value)) = prop.decoded_name().and_then(|name| before.get_key_value(&name)) else {
            continue;
        };
        match after.get(name) {
            Some(next) => {
                if let Some(node) = prop.value() {
                    change(&node, value, next);
                }
            }
            // A renamed member keeps its place and its comments.
            None => match added.iter().position(|(_, next)| is_same(value, next)) {
                Some(position) => rename(&prop, added.remove(position).0),
                None => remove(prop.into()),
            },
        }
    }
    for (name, value) in added {
        object.append(name, input(value));
    }
}

fn change_array(array: &CstArray, before: &[Value], after: &[Value]) {
    let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
    let nodes = array.elements();
    let remove_all = |nodes: &[CstNode]| nodes.iter().rev().cloned().for_each(remove);
    let insert_all = |index: usize, values: &[Value]| {
        for (offset, value) in values.iter().enumerate() {
            array.insert(index + offset, input(value));
        }
    };
    let (mut old, mut new) = (0, 0);
    for part in capture_diff_slices(Algorithm::Myers, &texts(before), &texts(after)) {
        // Only the lengths count: the position of an insertion may lie before equal items.
        let (old_len, new_len) = match part {
            DiffOp::Equal { len, .. } => {
                (old, new) = (old + len, new + len);
                continue;
            }
            DiffOp::Delete { old_len, .. } => (old_len, 0),
            DiffOp::Insert { new_len, .. } => (0, new_len),
            DiffOp::Replace { old_len, new_len, .. } => (old_len, new_len),
        };
        let shared = old_len.min(new_len);
        for offset in 0..shared {
            change(&nodes[old + offset], &before[old + offset], &after[new + offset]);
        }
        remove_all(&nodes[old + shared..old + old_len]);
        // The items before this part are already those of `after`.
        insert_all(new + shared, &after[new + shared..new + new_len]);
        (old, new) = (old + old_len, new + new_len);
    }
}

/// Compares numbers by their value: the window may write `1.0` as `1`.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => one == other || one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let is_in_other =
                |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(is_in_other)
        }
        (one, other) => one == other,
    }
}

fn replace(node: &CstNode, value: CstInputValue) {
    if let Some(object) = node.as_object() {
        object.replace_with(value);
    } else if let Some(array) = node.as_array() {
        array.replace_with(value);
    } else if let Some(text) = node.as_string_lit() {
        text.replace_with(value);
    } else if let Some(number) = node.as_number_lit() {
        number.replace_with(value);
    } else if let Some(boolean) = node.as_boolean_lit() {
        boolean.replace_with(value);
    } else if let Some(null) = node.as_null_keyword() {
        null.replace_with(value);
    }
}

fn rename(prop: &CstObjectProp, name: &str) {
    if let Some(literal) = prop.name().and_then(|name| name.as_string_lit()) {
        literal.set_raw_value(Value::from(name).to_string());
    }
}

/// Removes a member or an item with its own comments: those in its line, and those in the lines directly above.
fn remove(node: CstNode) {
    for own in lines_above(&node) {
        if let Some(comment) = own.as_comment() {
            // The library removes a line comment together with the line break before it. An empty comment is removed
            // alone.
            comment.set_raw_value(String::new());
        }
        own.remove();
    }
    node.remove();
}

/// Returns the comments in the lines directly above a node, with their white space and line breaks. A line with another
/// member, a blank line and a node in the middle of a line end them.
fn lines_above(node: &CstNode) -> Vec<CstNode> {
    let mut own = Vec::new();
    let mut line = Vec::new();
    let mut is_first = true;
    for sibling in node.previous_siblings() {
        if !sibling.is_trivia() {
            break;
        }
        if !sibling.is_newline() {
            line.push(sibling);
            continue;
        }
        // The line ends here, because the siblings are read backwards.
        if is_first {
            line.clear();
        } else if !line.iter().any(CstNode::is_comment) {
            break;
        }
        is_first = false;
        own.append(&mut line);
        // This line break belongs to the line above, if that line has only comments.
        line.push(sibling);
    }
    own
}

fn input(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(items) => CstInputValue::Array(items.iter().map(input).collect()),
        Value::Object(fields) => {
            CstInputValue::Object(fields.iter().map(|(name, value)| (name.clone(), input(value))).collect())
        }
    }
}
