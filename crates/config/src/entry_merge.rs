//! Changes to the text of an entry that keep its comments: only the members that differ are written.

use std::collections::HashSet;

use jsonc_parser::cst::{CstArray, CstInputValue, CstNode, CstObject, CstObjectProp};
use jsonc_parser::parse_to_serde_value;
use serde_json::{Map, Value};
use similar::{Algorithm, DiffOp, capture_diff_slices};

use crate::ConfigError;
use crate::comments::comments;
use crate::parse::syntax;
use crate::tree::parse_root;

/// The items of the longest part of a list that is compared and changed item by item. Each change of an item takes a time
/// that grows with the list.
const LONGEST_CHANGE: usize = 1000;

/// Returns `text` with the values of `changed`, which is JSON without comments. A comment stays, unless its member is
/// removed. Both texts must be an object.
pub(crate) fn merge(text: &str, changed: &str) -> Result<String, ConfigError> {
    let root = parse_root(text)?;
    let after = parse_root(changed)?;
    let (Some(entry), Some(Value::Object(members))) = (root.object_value(), value_of(&after.into())) else {
        return Err(ConfigError::InvalidServer {
            why: "the entry must be an object in `{ }`".to_owned(),
            hint: None,
        });
    };
    change_object(&entry, &members)?;
    let merged = root.to_string();
    // Each change leaves the new value in its place. This finds a mistake of the library that writes the text.
    let is_merged = value_of(&root.into()).is_some_and(|merged| is_same(&merged, &Value::Object(members)));
    if is_merged { Ok(merged) } else { Err(cannot_keep_comments()) }
}

fn cannot_keep_comments() -> ConfigError {
    ConfigError::InvalidServer {
        why: "its comments would be lost".to_owned(),
        hint: Some("Start again, and change the entry as JSON.".to_owned()),
    }
}

/// Returns the value of a part of the text. If a name occurs twice, the last one counts.
fn value_of(node: &CstNode) -> Option<Value> {
    parse_to_serde_value(&node.to_string(), &syntax::options()).ok()
}

fn change(node: &CstNode, after: &Value) -> Result<(), ConfigError> {
    let before = value_of(node);
    if before.as_ref().is_some_and(|before| is_same(before, after)) {
        return Ok(());
    }
    match (node.as_object(), node.as_array(), before, after) {
        (Some(object), _, _, Value::Object(after)) => return change_object(&object, after),
        (_, Some(array), Some(Value::Array(before)), Value::Array(after)) => {
            match differences(&before, after) {
                Some(parts) => return change_array(&array, parts, after),
                None if !comments(&array.into()).is_empty() => return Err(cannot_keep_comments()),
                None => replace(node, input(&Value::from(after.clone()))),
            }
        }
        (_, _, _, after) => replace(node, input(after)),
    }
    Ok(())
}

fn change_object(object: &CstObject, after: &Map<String, Value>) -> Result<(), ConfigError> {
    let props = object.properties().into_iter();
    let props: Vec<_> = props.filter_map(|prop| Some((prop.decoded_name()?, prop))).collect();
    let names: HashSet<_> = props.iter().map(|(name, _)| name.as_str()).collect();
    let mut added: Vec<_> = after.iter().filter(|(name, _)| !names.contains(name.as_str())).collect();
    let mut removed = Vec::new();
    for (name, prop) in &props {
        let Some(node) = prop.value() else { continue };
        match after.get(name) {
            Some(next) => change(&node, next)?,
            // A renamed member keeps its place and its comments.
            None => match position_of(&node, &added) {
                Some(position) => rename(prop, added.remove(position).0),
                None => removed.push(prop.clone()),
            },
        }
    }
    // Backwards, because each removal moves the members after it.
    removed.into_iter().rev().for_each(|prop| remove(prop.into()));
    for (name, value) in added {
        object.append(name, input(value));
    }
    Ok(())
}

/// Returns the position of the member that has the value of a node.
fn position_of(node: &CstNode, members: &[(&String, &Value)]) -> Option<usize> {
    if members.is_empty() {
        return None;
    }
    let value = value_of(node)?;
    members.iter().position(|(_, member)| is_same(&value, member))
}

fn change_array(array: &CstArray, parts: Vec<DiffOp>, after: &[Value]) -> Result<(), ConfigError> {
    let nodes = array.elements();
    let remove_all = |nodes: &[CstNode]| nodes.iter().rev().cloned().for_each(remove);
    let insert_all = |index: usize, values: &[Value]| {
        for (offset, value) in values.iter().enumerate() {
            array.insert(index + offset, input(value));
        }
    };
    let (mut old, mut new) = (0, 0);
    for part in parts {
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
            change(&nodes[old + offset], &after[new + offset])?;
        }
        remove_all(&nodes[old + shared..old + old_len]);
        // The items before this part are already those of `after`.
        insert_all(new + shared, &after[new + shared..new + new_len]);
        (old, new) = (old + old_len, new + new_len);
    }
    Ok(())
}

/// Returns the parts that differ; `None` if they are too long.
fn differences(before: &[Value], after: &[Value]) -> Option<Vec<DiffOp>> {
    let start = before.iter().zip(after).take_while(|(old, new)| old == new).count();
    let (old, new) = (&before[start..], &after[start..]);
    let end = old.iter().rev().zip(new.iter().rev()).take_while(|(old, new)| old == new).count();
    let (old, new) = (&old[..old.len() - end], &new[..new.len() - end]);
    if old.len().max(new.len()) > LONGEST_CHANGE {
        return None;
    }
    let texts = |values: &[Value]| values.iter().map(Value::to_string).collect::<Vec<_>>();
    let equal = |len| [DiffOp::Equal { old_index: 0, new_index: 0, len }];
    let changed = capture_diff_slices(Algorithm::Myers, &texts(old), &texts(new));
    Some(equal(start).into_iter().chain(changed).chain(equal(end)).collect())
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
