//! Parses `groups`. An error in a group is a warning, because it must not stop the servers.

use jsonc_parser::ast::{ObjectProp, Value};

use super::reader::Reader;
use super::{MAX_NAME_CHARS, display_name};
use crate::Group;

const MAX_GROUPS: usize = 200;
/// The maximum number of names in a group that are read.
const MAX_MEMBERS: usize = 2000;

/// Reads the groups. `servers` contains the names of all entries, also of those with an error.
pub(super) fn read_groups(reader: &mut Reader<'_>, prop: &ObjectProp<'_>, servers: &[&str]) -> Vec<Group> {
    let Some(object) = prop.value.as_object() else {
        reader.warn(prop, "`groups` is ignored, because it is not an object", SHAPE);
        return Vec::new();
    };
    let mut groups: Vec<Group> = Vec::new();
    for prop in &object.properties {
        let name = prop.name.as_str();
        if name.starts_with('_') {
            continue;
        }
        let shown = display_name(name);
        let why = if groups.len() == MAX_GROUPS {
            Some(format!("there are more than {MAX_GROUPS} groups"))
        } else if name.is_empty()
            || name.chars().count() > MAX_NAME_CHARS
            || name.chars().any(char::is_control)
        {
            Some("a group has a name that is empty, too long or has control characters".to_owned())
        } else if servers.contains(&name) {
            Some(format!("the group `{shown}` has the name of a server, which is used instead"))
        } else if groups.iter().any(|group| group.name == name) {
            Some(format!("another group is also named `{shown}`"))
        } else {
            None
        };
        if let Some(why) = why {
            reader.warn(prop, why, "Rename or remove the group.");
            continue;
        }
        groups.push(Group { name: name.to_owned(), servers: members(reader, prop, servers) });
    }
    groups
}

const SHAPE: &str = "Write \"groups\": { \"work\": [\"notion\", \"linear\"] }, with names from `mcpServers`.";

fn members(reader: &mut Reader<'_>, prop: &ObjectProp<'_>, servers: &[&str]) -> Vec<String> {
    let Some(list) = prop.value.as_array() else {
        reader.warn(prop, "a group is not a list of names", SHAPE);
        return Vec::new();
    };
    let mut members: Vec<String> = Vec::new();
    for element in list.elements.iter().take(MAX_MEMBERS) {
        match element {
            Value::StringLit(name) if servers.contains(&name.value.as_ref()) => {
                if !members.iter().any(|member| *member == name.value) {
                    members.push(name.value.clone().into_owned());
                }
            }
            Value::StringLit(name) => {
                let why = format!("there is no server named `{}`", display_name(&name.value));
                reader.warn(element, why, "Correct the name, or remove it from the group.");
            }
            _ => reader.warn(element, "a group contains something other than a name", SHAPE),
        }
    }
    members
}
