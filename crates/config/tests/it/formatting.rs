//! `usher config format`: only spellings change, never comments, order, unknown keys or the meaning.

use std::fs;

use proptest::prelude::*;
use usher_config::{ConfigFile, Environment, FormatReport};

fn file(folder: &tempfile::TempDir, text: &str) -> ConfigFile {
    let path = folder.path().join("mcp.json");
    fs::write(&path, text).expect("write file");
    ConfigFile::new(path, Environment::default())
}

fn text(file: &ConfigFile) -> String {
    fs::read_to_string(file.path()).expect("read file")
}

const OTHER_CLIENTS: &str = r#"// From other clients
{
    "mcpServers": {
        // Windsurf
        "windsurf": { "serverUrl": "https://a.example/mcp", "disabledTools": ["x"] },
        "gemini": { "httpUrl": "https://b.example/mcp", "timeout": 1.50, },
        "goose": {
            "type": "streamable_http",
            "uri": "https://c.example/mcp", // the address
            "enabled": false
        },
        "opencode": {
            "type": "local",
            "command": ["npx", "-y", "files"], /* a list */
            "environment": { "A": "1" },
            "enabled": true
        },
        "extension": { "cmd": "uvx", "args": ["files"], "envs": {}, "working_directory": "/tmp" },
        "gateway": {
            "transport": "streamable-http", "url": "https://d.example/mcp",
            "auth": { "client_id": "c", "clientSecret": "{{s}}", "scope": "read write", "_note": "kept",
                "auth_url": "https://as.example/a", "token_url": "https://as.example/t", "audience": "x",
                "device_auth_url": "https://as.example/d", "token_store": "file" }
        },
        "id": { "type": "http", "url": "https://e.example/mcp", "oauth_client_id": "c" },
        "in the way": { "type": "http", "url": "https://f.example", "serverUrl": "https://f.example",
            "command": null, "oauth": { "clientId": "c" }, "oauth_client_id": "c" },
        "commented": { "command": ["npx", /* yes */ "-y"] },
        "broken": { "serverUrl": "not an address" },
    },
    "other": { "serverUrl": true }
}
"#;

#[test]
fn the_spellings_of_other_clients_are_rewritten() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = file(&folder, OTHER_CLIENTS);
    let servers = file.load().expect("a usable file").servers;
    let planned = file.check_format().expect("a report");
    assert_eq!(text(&file), OTHER_CLIENTS);
    let report = file.format().expect("a report");
    assert_eq!(planned, report);
    insta::assert_snapshot!(text(&file));
    insta::assert_debug_snapshot!(report);
    let config = file.load().expect("a usable file");
    assert_eq!(config.servers, servers);
    // The remaining warnings are those that the report lists.
    let names_a_spelling = |hint: &String| hint.starts_with("Usher's name");
    let left = config.warnings.iter().filter(|warning| warning.hint.as_ref().is_some_and(names_a_spelling));
    assert_eq!(
        left.map(|warning| warning.server.as_deref()).collect::<Vec<_>>(),
        [Some("in the way"), Some("in the way"), Some("commented"), Some("broken"),]
    );
}

#[test]
fn a_file_in_ushers_spelling_is_not_written() {
    let folder = tempfile::tempdir().expect("temp dir");
    for before in ["", "// nothing\n", "{}", usher_config::starter_text()] {
        let file = file(&folder, before);
        assert_eq!(file.format().expect("a report"), FormatReport::default(), "{before}");
        assert_eq!(text(&file), before);
    }
}

/// Whitespace and comments between tokens.
fn gap() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        3 => Just("\n      ".to_owned()),
        1 => "[a-z\",:{}]{0,6}".prop_map(|text| format!("/* {text} */")),
        1 => "[a-z\",:{}]{0,6}".prop_map(|text| format!("// {text}\n")),
    ]
}

/// One field of an entry, often in the spelling of another client, sometimes invalid.
fn field() -> impl Strategy<Value = String> {
    let fields = [
        r#""type": "http""#,
        r#""type": "streamable-http""#,
        r#""type": "local""#,
        r#""transport": "http""#,
        r#""transport": "sse""#,
        r#""url": "https://a.example""#,
        r#""serverUrl": "https://a.example""#,
        r#""httpUrl": "https://b.example""#,
        r#""uri": null"#,
        r#""command": "npx""#,
        r#""command": ["npx", "-y"]"#,
        r#""cmd": ["npx"]"#,
        r#""args": ["-y",]"#,
        r#""env": {"A": "1"}"#,
        r#""envs": {"A": "1", "_B": "2"}"#,
        r#""environment": {}"#,
        r#""enabled": true"#,
        r#""enabled": false"#,
        r#""disabled": true"#,
        r#""enabled": "yes""#,
        r#""title": "T""#,
        r#""oauth": {"clientId": "c", "scope": "a  b"}"#,
        r#""oauth": null"#,
        r#""auth": {"client_id": "c", "scopes": ""}"#,
        r#""auth": {"scope": ["a"], "_x": 1}"#,
        r#""oauth_client_id": "c""#,
        r#""_comment": ["serverUrl"]"#,
        r#""timeout": 1.50"#,
    ];
    (prop::sample::select(fields.to_vec()), gap(), gap()).prop_map(|(field, before, after)| {
        format!("{before}{}{after}", field.replacen(": ", &format!("{before}:"), 1))
    })
}

fn comments(text: &str) -> Vec<&str> {
    text.match_indices("/*").map(|(at, _)| text[at..].split("*/").next().unwrap_or_default()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn formatting_never_changes_the_meaning(
        entries in prop::collection::vec((prop::collection::vec(field(), 0..6), gap()), 0..4)
    ) {
        let entries: Vec<_> = entries
            .iter()
            .enumerate()
            .map(|(number, (fields, gap))| format!("\"s{number}\": {{{}{gap}}}", fields.join(",")))
            .collect();
        let before = format!("{{\"mcpServers\": {{{}}}}}", entries.join(",\n"));
        let folder = tempfile::tempdir().expect("temp dir");
        let file = file(&folder, &before);
        let parsed = file.load().expect("a usable file");
        let report = file.format().expect("formatting succeeds");
        let after = file.load().expect("a usable file");
        prop_assert_eq!(&after.servers, &parsed.servers);
        let names = |config: &usher_config::Config| -> Vec<String> {
            config.broken.iter().map(|broken| broken.name.clone()).collect()
        };
        prop_assert_eq!(names(&after), names(&parsed));
        let written = text(&file);
        prop_assert_eq!(comments(&written), comments(&before));
        if report.rewritten.is_empty() {
            prop_assert_eq!(&written, &before);
        }
        // The second time, there is nothing left to rewrite.
        let again = file.format().expect("formatting succeeds");
        prop_assert_eq!(again.rewritten, Vec::new());
    }
}
