//! Groups of servers.

use usher_config::{Diagnostic, Group};

use crate::fixture::TestFolder;

const SERVERS: &str = r#""mcpServers": {
  "a": { "type": "http", "url": "https://a.example" },
  "b": { "type": "http", "url": "https://b.example" },
  "broken": { "type": "http" }
}"#;

/// Returns the groups of a file with three servers, and the messages of its warnings.
fn groups(groups: &str) -> (Vec<Group>, Vec<String>) {
    let folder = TestFolder::with(format!("{{ \"groups\": {groups}, {SERVERS} }}"));
    let config = folder.file().load().expect("a group never makes the file unusable");
    assert_eq!(config.servers.len(), 2);
    let message = |warning: &Diagnostic| warning.message.clone();
    (config.groups, config.warnings.iter().map(message).collect())
}

fn group(name: &str, servers: &[&str]) -> Group {
    Group { name: name.to_owned(), servers: servers.iter().map(|&server| server.to_owned()).collect() }
}

#[test]
fn groups_name_servers_in_their_own_order_also_broken_ones() {
    let (groups, warnings) = groups(r#"{ "work": ["b", "a", "b", "broken"], "_note": 1, "none": [] }"#);
    assert_eq!(groups, [group("work", &["b", "a", "broken"]), group("none", &[])]);
    assert!(warnings.is_empty(), "{warnings:?}");
}

#[test]
fn an_error_in_a_group_is_a_warning_and_the_rest_is_used() {
    for (text, expected, warning) in [
        (r#"{ "g": ["a", "nobody"] }"#, vec![group("g", &["a"])], "there is no server named `nobody`"),
        (r#"{ "g": [1, "a"] }"#, vec![group("g", &["a"])], "a group contains something other than a name"),
        (r#"{ "g": "a" }"#, vec![group("g", &[])], "a group is not a list of names"),
        (r#"{ "a": ["b"] }"#, vec![], "the group `a` has the name of a server, which is used instead"),
        (r#"{ "g": ["a"], "g": [] }"#, vec![group("g", &["a"])], "another group is also named `g`"),
        (r#"{ "": ["a"] }"#, vec![], "a group has a name that is empty, too long or has control characters"),
        ("[]", vec![], "`groups` is ignored, because it is not an object"),
    ] {
        assert_eq!(groups(text), (expected, vec![warning.to_owned()]), "{text}");
    }
}
