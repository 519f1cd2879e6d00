//! An entry with an error does not affect the others, and an edit of another entry does not touch it.

use std::fs;

use url::Url;
use usher_config::{ConfigError, ConfigFile, Entry, Environment, NewServer};

const TEXT: &str = r#"{
  "mcpServers": {
    "first": { "type": "http", "url": "https://a.example" }, // works
    "no url": { "type": "http", "title": "My notes" /* not finished */ },
    "twice": { "command": "npx" },
    "last": { "command": "npx", "enabled": true },
    "twice": { "command": "uvx" },
    "": { "command": "npx" },
    "a\nb": { "type": "http", "url": "https://c.example", "headers": { "Host": "x" } },
    "text": "npx",
    "_comment": "ignored",
    "none": null
  }
}
"#;

fn file(folder: &tempfile::TempDir, text: &str) -> ConfigFile {
    let path = folder.path().join("mcp.json");
    fs::write(&path, text).expect("write file");
    ConfigFile::new(path, Environment::default())
}

fn text(file: &ConfigFile) -> String {
    fs::read_to_string(file.path()).expect("read file")
}

/// Returns each entry's name, and its errors without their position if it is broken.
fn entries_without_positions(file: &ConfigFile) -> Vec<(String, Vec<String>)> {
    let mut entries = entries(file);
    for error in entries.iter_mut().flat_map(|(_, errors)| errors) {
        *error = error.split_once(": ").map(|(_, message)| message.to_owned()).unwrap_or_default();
    }
    entries
}

/// Returns each entry's name, and its errors if it is broken.
fn entries(file: &ConfigFile) -> Vec<(String, Vec<String>)> {
    let config = file.load().expect("a usable file");
    let errors = |entry: Entry<'_>| match entry {
        Entry::Server(_) => Vec::new(),
        Entry::Broken(broken) => broken.errors.iter().map(ToString::to_string).collect(),
    };
    config.entries().map(|entry| (entry.name().to_owned(), errors(entry))).collect()
}

fn notion() -> NewServer {
    NewServer::http(Url::parse("https://mcp.notion.com/mcp").expect("valid URL"))
}

#[test]
fn each_entry_with_an_error_keeps_its_place_and_the_others_stay_valid() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = file(&folder, TEXT);
    insta::assert_debug_snapshot!(entries(&file));
    let config = file.load().expect("a usable file");
    let names: Vec<_> = config.servers.iter().map(|server| server.name.as_str()).collect();
    assert_eq!(names, ["first", "last"]);
    let broken = config.broken("no url").expect("broken");
    assert_eq!((broken.title.as_deref(), &broken.url, broken.is_program), (Some("My notes"), &None, false));
    let named = config.broken("a b (invalid name)").expect("broken");
    assert_eq!(named.url, Url::parse("https://c.example").ok());
    let problems = file.check().expect("readable");
    assert_eq!(
        problems,
        config
            .errors()
            .cloned()
            .collect::<Vec<_>>()
            .into_iter()
            .chain(config.warnings.clone())
            .collect::<Vec<_>>()
    );
}

#[test]
fn edits_work_beside_entries_with_errors_and_do_not_touch_them() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = file(&folder, TEXT);
    let before = entries_without_positions(&file);
    file.add("new", &notion()).expect("add");
    file.set_disabled("first", true).expect("disable");
    file.set_disabled("last", true).expect("disable");
    file.set_client("first", "id", None).expect("set client");
    file.remove("new").expect("remove");
    assert_eq!(entries_without_positions(&file), before);
    let after = text(&file);
    let untouched = TEXT.lines().filter(|line| !line.contains("\"first\"") && !line.contains("\"last\""));
    let lines: Vec<_> = after.lines().collect();
    for line in untouched {
        assert!(lines.contains(&line), "{line} is missing in {after}");
    }
    assert!(after.contains("\"enabled\": false"), "{after}");
}

#[test]
fn an_entry_with_an_error_can_only_be_removed() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = file(&folder, TEXT);
    for name in ["no url", "twice", "text", "a b (invalid name)"] {
        for result in [file.set_disabled(name, true), file.set_client(name, "id", None)] {
            let error = result.expect_err("should be rejected");
            assert!(matches!(error, ConfigError::BrokenServer { .. }), "{name}: {error}");
            assert!(error.line().is_some() && error.column().is_some());
        }
    }
    assert!(matches!(file.add("no url", &notion()), Err(ConfigError::ServerExists { .. })));
    assert_eq!(text(&file), TEXT);
    for (name, _) in entries(&file).into_iter().filter(|(_, errors)| !errors.is_empty()) {
        file.remove(&name).unwrap_or_else(|error| panic!("{name}: {error}"));
    }
    let names: Vec<_> = entries(&file).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["first", "last"]);
    assert!(text(&file).contains("// works") && text(&file).contains("\"_comment\""), "{}", text(&file));
}

#[test]
fn an_edit_that_would_break_an_entry_is_rejected() {
    let folder = tempfile::tempdir().expect("temp dir");
    let before =
        r#"{"mcpServers": {"a": {"type": "http"}, "b": {"type": "http", "url": "https://b.example"}}}"#;
    let file = file(&folder, before);
    let secret_alone = NewServer { client_secret: Some("{{s}}".to_owned()), ..notion() };
    let error = file.add("c", &secret_alone).expect_err("should be rejected");
    assert!(matches!(error, ConfigError::InvalidServer { .. }), "{error}");
    assert_eq!(text(&file), before);
}

#[test]
fn the_variables_of_an_env_file_are_added_without_placeholders() {
    let folder = tempfile::tempdir().expect("temp dir");
    fs::create_dir(folder.path().join("keys")).expect("create folder");
    fs::write(folder.path().join("keys/.env"), "A=file\nB='{{not_a_secret}} ${NOT}'\n").expect("write file");
    let entry = r#"{"mcpServers": {"p": {"command": "npx", "envFile": "keys/.env", "env": {"A": "entry"}}}}"#;
    let config = file(&folder, entry).load().expect("a usable file");
    let usher_config::Transport::Stdio { env, .. } = &config.servers[0].transport else {
        panic!("not stdio")
    };
    let env: Vec<_> =
        env.iter().map(|(name, value)| (name.as_str(), value.source(), value.has_placeholders())).collect();
    assert_eq!(env, [("A", "entry", false), ("B", "{{not_a_secret}} ${NOT}", false)]);
    assert_eq!(config.warnings, []);
}

#[test]
fn an_env_file_that_cannot_be_used_breaks_only_its_entry() {
    let folder = tempfile::tempdir().expect("temp dir");
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).expect("write file");
    write("large.env", &vec![b'#'; 256 * 1024 + 1]);
    write("binary.env", b"A=\xff");
    write("lines.env", b"A=1\nhunter2");
    fs::create_dir(folder.path().join("folder.env")).expect("create folder");
    let names = ["missing.env", "large.env", "binary.env", "lines.env", "folder.env"];
    let entries =
        names.map(|name| format!(r#""{name}": {{"command": "npx", "envFile": "{name}"}}"#)).join(", ");
    let file = file(&folder, &format!(r#"{{"mcpServers": {{{entries}, "ok": {{"command": "npx"}}}}}}"#));
    let config = file.load().expect("a usable file");
    assert_eq!(config.servers.len(), 1);
    let messages = config.errors().map(|error| error.message.clone());
    insta::assert_snapshot!(messages.collect::<Vec<_>>().join("\n"), @r"
    `envFile` cannot be used: the file does not exist
    `envFile` cannot be used: the file is larger than 256 KiB
    `envFile` cannot be used: the file is not saved as UTF-8
    `envFile` cannot be used: line 2: expected NAME=value
    `envFile` cannot be used: the file cannot be read (it is not a file)
    ");
}

#[test]
fn a_file_with_too_many_entries_is_rejected_at_once() {
    let folder = tempfile::tempdir().expect("temp dir");
    let entries: Vec<_> = (0..300_000).map(|number| format!("\"{number}\":1")).collect();
    let file = file(&folder, &format!("{{\"mcpServers\":{{{}}}}}", entries.join(",")));
    let error = file.load().expect_err("should be rejected");
    assert!(error.to_string().contains("more than 2000 servers"), "{error}");
    let entries: Vec<_> =
        (0..2000).map(|number| format!("\"{number}\":{{\"x{number}\":[],\"y\":1}}")).collect();
    let file = self::file(&folder, &format!("{{\"mcpServers\":{{{}}}}}", entries.join(",")));
    assert_eq!(file.load().expect("a usable file").broken.len(), 2000);
}
