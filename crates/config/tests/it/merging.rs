//! Changed members of an entry are written in place, and its comments stay.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use usher_config::{ConfigFile, Environment};

const ENTRY: &str = r#"{
  // The team's notes.
  "type": "http", // not sse
  /* The address
     of the service. */
  "url": "https://mcp.example.com/mcp", // kept by IT

  // Sent with each request.

  // The team.
  "headers": {
    // Who asks.
    "X-Team": "red", // or blue
    /* For tests. */ "X-Test": "1",
    // Where from.
    "X-Region": "eu" // since May
    // No more headers.
  },
  "oauth": {
    "scopes": [
      // Reads everything.
      "read", // needed
      // Writes.
      "write", // sometimes
      "admin" /* rarely */
    ]
  }
  // The end.
}"#;

fn merged(text: &str, changed: &Value) -> String {
    let file = ConfigFile::new("/nowhere/mcp.json", Environment::default());
    file.merge_entry("notes", text, &changed.to_string()).expect("a merged entry")
}

fn entry() -> Value {
    json!({
        "type": "http",
        "url": "https://mcp.example.com/mcp",
        "headers": { "X-Team": "red", "X-Test": "1", "X-Region": "eu" },
        "oauth": { "scopes": ["read", "write", "admin"] },
    })
}

fn with(pointer: &str, value: Value) -> Value {
    let mut changed = entry();
    *changed.pointer_mut(pointer).expect("a value") = value;
    changed
}

#[test]
fn an_unchanged_entry_keeps_its_text() {
    assert_eq!(merged(ENTRY, &entry()), ENTRY);
}

#[test]
fn a_changed_value_is_written_in_place() {
    for (pointer, before, after) in [
        ("/url", "https://mcp.example.com/mcp", "https://mcp.example.org/mcp"),
        ("/headers/X-Team", "\"red\"", "\"green\""),
        ("/headers/X-Region", "\"eu\"", "\"us\""),
        ("/oauth/scopes/0", "\"read\"", "\"list\""),
        ("/oauth/scopes/2", "\"admin\"", "\"owner\""),
    ] {
        let value = Value::from(after.trim_matches('"'));
        assert_eq!(merged(ENTRY, &with(pointer, value)), ENTRY.replacen(before, after, 1), "{pointer}");
    }
}

#[test]
fn a_removed_member_takes_only_its_own_comments_along() {
    for (headers, removed, last) in [
        (
            json!({ "X-Test": "1", "X-Region": "eu" }),
            "    // Who asks.\n    \"X-Team\": \"red\", // or blue\n",
            ("", ""),
        ),
        (json!({ "X-Team": "red", "X-Region": "eu" }), "    /* For tests. */ \"X-Test\": \"1\",\n", ("", "")),
        // The member before it is now the last one, and needs no comma.
        (
            json!({ "X-Team": "red", "X-Test": "1" }),
            "    // Where from.\n    \"X-Region\": \"eu\" // since May\n",
            ("\"X-Test\": \"1\",", "\"X-Test\": \"1\""),
        ),
    ] {
        let expected = ENTRY.replacen(removed, "", 1);
        assert_ne!(expected, ENTRY);
        let expected = if last.0.is_empty() { expected } else { expected.replacen(last.0, last.1, 1) };
        assert_eq!(merged(ENTRY, &with("/headers", headers)), expected);
    }
}

#[test]
fn a_removed_object_takes_the_comments_inside_it_and_directly_above_it_along() {
    let mut changed = entry();
    changed.as_object_mut().expect("an object").shift_remove("headers");
    let (before, rest) = ENTRY.split_once("  // The team.\n").expect("a comment");
    let (_, after) = rest.split_once("  },\n").expect("the end of the headers");
    assert_eq!(merged(ENTRY, &changed), format!("{before}{after}"));
}

#[test]
fn an_added_member_comes_last_and_a_renamed_one_keeps_its_place() {
    let headers = json!({ "X-Group": "red", "X-Test": "1", "X-Region": "eu", "X-New": "yes" });
    let expected = ENTRY.replacen("X-Team", "X-Group", 1).replacen(
        "\"eu\" // since May",
        "\"eu\", // since May\n    \"X-New\": \"yes\"",
        1,
    );
    assert_eq!(merged(ENTRY, &with("/headers", headers)), expected);
}

#[test]
fn the_items_of_a_list_keep_their_comments() {
    let read = "      // Reads everything.\n      \"read\", // needed\n";
    let write = "      // Writes.\n      \"write\", // sometimes\n";
    let removed = merged(ENTRY, &with("/oauth/scopes", json!(["write", "admin"])));
    assert_eq!(removed, ENTRY.replacen(read, "", 1));
    let removed = merged(ENTRY, &with("/oauth/scopes", json!(["read", "admin"])));
    assert_eq!(removed, ENTRY.replacen(write, "", 1));
    let inserted = merged(ENTRY, &with("/oauth/scopes", json!(["read", "list", "write", "admin"])));
    assert_eq!(inserted, ENTRY.replacen("// needed\n", "// needed\n      \"list\",\n", 1));
    let appended = merged(ENTRY, &with("/oauth/scopes", json!(["read", "write", "admin", "list"])));
    assert_eq!(
        appended,
        ENTRY.replacen("\"admin\" /* rarely */", "\"admin\", /* rarely */\n      \"list\"", 1)
    );
}

#[test]
fn a_value_of_another_kind_replaces_the_old_one() {
    let text = "{\n  \"command\": \"x\", // run\n  \"args\": [\"a\"], // all\n  \"timeout\": 1.0 // s\n}";
    let changed = json!({ "command": "x", "args": { "a": [] }, "timeout": 1 });
    let expected = "{\n  \"command\": \"x\", // run\n  \"args\": {\n    \"a\": []\n  }, // all\n  \"timeout\": 1.0 // s\n}";
    assert_eq!(merged(text, &changed), expected);
}

#[test]
fn an_entry_in_another_clients_spelling_keeps_its_comments() {
    let text = "{\n  // Ours.\n  \"serverUrl\": \"https://mcp.example.com/mcp\" // by IT\n}";
    let changed = json!({ "type": "http", "url": "https://mcp.example.org/mcp", "title": "Notes" });
    let result = merged(text, &changed);
    for comment in ["// Ours.", "// by IT"] {
        assert!(result.contains(comment), "{result}");
    }
    assert!(result.contains(r#""url": "https://mcp.example.org/mcp""#), "{result}");
}

#[test]
fn a_name_that_occurs_twice_keeps_its_comments() {
    let text = r#"{
  "command": "x",
  "extra": {
    "a": ["one"], // first
    "a": ["one", "two"], // second
    "b": 1, // kept
    "b": 2
  }
}"#;
    let changed = |extra: Value| merged(text, &json!({ "command": "x", "extra": extra }));
    assert_eq!(changed(json!({ "a": ["one", "two"], "b": 2 })), text);
    let longer = changed(json!({ "a": ["one", "two", "three"], "b": 2 }));
    for comment in ["// first", "// second", "// kept"] {
        assert!(longer.contains(comment), "{longer}");
    }
    let renamed = changed(json!({ "a": ["one", "two"], "c": 2 }));
    assert!(renamed.ends_with("// second\n    \"c\": 2\n  }\n}"), "{renamed}");
}

#[test]
fn a_long_list_keeps_the_comments_of_its_items() {
    let items = |range: std::ops::Range<usize>| range.map(|item| format!("item {item}")).collect::<Vec<_>>();
    let lines: Vec<_> =
        items(0..3000).iter().map(|item| format!("    \"{item}\", // the {item}\n")).collect();
    let text = |lines: &[String]| {
        format!("{{\n  \"command\": \"x\",\n  \"args\": [\n{}    \"end\"\n  ]\n}}", lines.concat())
    };
    let changed = |args: Vec<String>| merged(&text(&lines), &json!({ "command": "x", "args": args }));
    let end = || vec!["end".to_owned()];
    let removed = changed([items(0..1000), items(1002..3000), end()].concat());
    assert_eq!(removed, text(&[&lines[..1000], &lines[1002..]].concat()));
    let inserted = changed([items(0..1000), end(), items(1000..3000), end()].concat());
    let new = "    \"end\",\n".to_owned();
    assert_eq!(inserted, text(&[&lines[..1000], &[new], &lines[1000..]].concat()));
}

#[test]
fn a_list_that_changes_too_much_loses_no_comment() {
    let list = |items: &str| format!(r#"{{ "command": "x", "args": [{}] }}"#, items.repeat(1001) + "\"end\"");
    let changed = json!({ "command": "x", "args": ["end"] }).to_string();
    let file = ConfigFile::new("/nowhere/mcp.json", Environment::default());
    let error = file.merge_entry("notes", &list("\"a\", /* why */ "), &changed).expect_err("comments");
    assert_eq!(error.to_string(), "the server cannot be saved: its comments would be lost");
    assert_eq!(error.hint().as_deref(), Some("Start again, and change the entry as JSON."));
    let merged = file.merge_entry("notes", &list("\"a\", "), &changed).expect("no comments");
    assert_eq!(serde_json::from_str::<Value>(&merged).expect("JSON").to_string(), changed);
}

#[test]
fn equal_items_around_an_inserted_one_keep_their_order() {
    let text = "{ \"command\": \"x\", \"args\": [\"b\", /* one */ \"a\"] }";
    let changed = json!({ "command": "x", "args": ["a", "c", "a"] });
    assert_eq!(
        serde_json::from_str::<Value>(&merged(text, &changed).replace("/* one */", "")).ok(),
        Some(changed)
    );
}

#[test]
fn a_text_with_an_error_is_not_merged() {
    let file = ConfigFile::new("/nowhere/mcp.json", Environment::default());
    for (text, changed) in [("{ oops }", "{}"), (ENTRY, "{ oops }"), ("[]", "{}"), (ENTRY, "[]")] {
        assert!(file.merge_entry("notes", text, changed).is_err(), "{text} {changed}");
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (0..9).prop_map(Value::from),
        "[a-c\"\\\\/*\n]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-e]", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// Writes a value with a comment before and after each member and item.
fn write(value: &Value, lines: bool, text: &mut String) {
    let (open, close, items): (_, _, Vec<(Option<&String>, &Value)>) = match value {
        Value::Array(items) => ('[', ']', items.iter().map(|item| (None, item)).collect()),
        Value::Object(fields) => ('{', '}', fields.iter().map(|(name, value)| (Some(name), value)).collect()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            return text.push_str(&value.to_string());
        }
    };
    let (before, after) =
        if lines { ("\n  // before\n  ", " // after") } else { (" /* before */ ", " /* after */") };
    text.push(open);
    let count = items.len();
    for (index, (name, item)) in items.into_iter().enumerate() {
        text.push_str(before);
        if let Some(name) = name {
            text.push_str(&format!("{}: ", Value::from(name.as_str())));
        }
        write(item, lines, text);
        text.push_str(if index + 1 < count { "," } else { "" });
        text.push_str(after);
    }
    text.push_str(if lines { "\n" } else { " " });
    text.push(close);
}

proptest! {
    #[test]
    fn a_merged_entry_has_the_new_values(before in value(), after in value(), lines in any::<bool>()) {
        let of = |extra: &Value| json!({ "command": "x", "extra": extra });
        let mut text = String::new();
        write(&of(&before), lines, &mut text);
        let merged = merged(&text, &of(&after));
        let file = ConfigFile::new("/nowhere/mcp.json", Environment::default());
        // Nothing differs any more.
        prop_assert_eq!(file.merge_entry("notes", &merged, &of(&after).to_string()).ok(), Some(merged.clone()));
        prop_assert!(merged.contains("before"));
    }

    #[test]
    fn an_unchanged_text_with_comments_stays(before in value(), lines in any::<bool>()) {
        let entry = json!({ "command": "x", "extra": before });
        let mut text = String::new();
        write(&entry, lines, &mut text);
        prop_assert_eq!(merged(&text, &entry), text);
    }
}
