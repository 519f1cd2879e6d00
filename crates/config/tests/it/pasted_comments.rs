//! Comments in the JSON that a person pastes to add a server.

use std::collections::HashSet;

use secrecy::ExposeSecret;
use usher_config::{Draft, read_pasted};

use crate::fixture::TestFolder;

/// Adds the first server of a text as `new`, and returns the draft and the text of the file.
fn added(text: &str) -> (Draft, String) {
    let folder = TestFolder::with("{\n  \"mcpServers\": {\n  }\n}\n");
    let entry = read_pasted(text).expect("a server").remove(0);
    let file = folder.file();
    let draft = |text: &str| file.draft("new", text, &[], &HashSet::new()).expect("a valid entry");
    let first = draft(&entry.text);
    file.add_entry("new", &draft(&first.commented).entry).expect("add");
    (first, folder.text())
}

#[test]
fn comments_stay_beside_their_members() {
    let pasted = r#"{
    "mcpServers": {
        "notes": {
            // The team's notes.
            "type": "stdio",
            "_comment": "An ordinary member.",
            "command": "npx", // with Node.js
            /* The package,
               and its folder. */
            "args": [
                "notes", // pinned
                "/srv" /* shared */
            ]
            // The end.
        }
    }
}"#;
    let (draft, file) = added(pasted);
    insta::assert_snapshot!(file, @r#"
    {
      "mcpServers": {
        "new": {
            // The team's notes.
            "type": "stdio",
            "_comment": "An ordinary member.",
            "command": "npx", // with Node.js
            /* The package,
               and its folder. */
            "args": [
                "notes", // pinned
                "/srv" /* shared */
            ]
            // The end.
        }
      }
    }
    "#);
    assert!(!draft.shown.contains("//") && draft.shown.contains("_comment"), "{}", draft.shown);
}

#[test]
fn an_entry_without_comments_is_written_in_lines() {
    let (draft, file) = added(r#"{ "mcpServers": { "notes": {"type":"stdio","command":"npx"} } }"#);
    assert_eq!(draft.commented, draft.shown);
    insta::assert_snapshot!(file, @r#"
    {
      "mcpServers": {
        "new": {
          "type": "stdio",
          "command": "npx"
        }
      }
    }
    "#);
}

#[test]
fn a_named_entry_may_end_with_a_comment() {
    let (_, file) = added("\"notes\": {\n  // Why.\n  \"command\": \"x\"\n} // the last one");
    assert!(file.contains("{\n      // Why.\n      \"command\": \"x\"\n    }"), "{file}");
}

#[test]
fn a_text_may_begin_with_comments() {
    for entry in ["{ \"command\": \"x\" }", "\"notes\": { \"command\": \"x\" }"] {
        let (draft, _) = added(&format!("// .vscode/mcp.json\n/* ours */ {entry}"));
        assert_eq!(draft.server.transport.url(), None, "{entry}");
    }
}

#[test]
fn the_spelling_of_another_client_is_rewritten_around_its_comments() {
    let pasted = r#"{
  "serverUrl": "https://mcp.example.com/mcp", // by IT
  "auth": {
    // Registered by hand.
    "client_id": "me",
    "scope": "read write" /* enough */
  },
  "enabled": false // for now
}"#;
    let (_, file) = added(pasted);
    insta::assert_snapshot!(file, @r#"
    {
      "mcpServers": {
        "new": {
          "type": "http",
          "url": "https://mcp.example.com/mcp", // by IT
          "oauth": {
            // Registered by hand.
            "clientId": "me",
            "scopes": ["read", "write"] /* enough */
          },
          "disabled": true // for now
        }
      }
    }
    "#);
}

#[test]
fn a_secret_leaves_the_entry_and_the_comments_stay() {
    let pasted = r#"{
  "url": "https://mcp.example.com/mcp",
  "headers": {
    // From the admin page.
    "X-Api-Key": "k-\u0031" // ends in May
  },
  "auth": { "client_id": "me", /* rotated */ "client_secret": "s-2" }
}"#;
    let folder = TestFolder::with("{}");
    let entry = read_pasted(pasted).expect("a server").remove(0);
    let draft = folder.file().draft("a", &entry.text, &[], &HashSet::new()).expect("a valid entry");
    let values: Vec<_> = draft.secrets.iter().map(|secret| secret.value.expose_secret()).collect();
    assert_eq!(values, ["k-1", "s-2"]);
    folder.file().add_entry("a", &draft.entry).expect("add");
    let file = folder.text();
    for secret in ["k-1", r"k-\u0031", "s-2"] {
        assert!(!file.contains(secret), "{file}");
    }
    for kept in ["// From the admin page.", "}}\" // ends in May", "/* rotated */ \"clientSecret\""] {
        assert!(file.contains(kept), "{file}");
    }
}

#[test]
fn a_comment_cannot_deceive_a_terminal_or_a_reader() {
    let pasted = "{\n  /* a*\u{200b}/ \u{1b}[2J\u{202e}\tb */\n  \"command\": \"x\u{1b}\", // \u{9b}c\n}";
    let (draft, _) = added(pasted);
    let expected = "{\n  /* a* /  [2J \tb */\n  \"command\": \"x\\u001b\", //  c\n}";
    assert_eq!(draft.commented, expected);
}
