//! The text of the whole file: what an editor reads, what a check finds, and what is written.

use std::fs;

use usher_config::{ConfigError, HIDDEN, Severity};

use crate::fixture::TestFolder;

const FILE: &str = r#"{
  // The team's services.
  "mcpServers": {
    "notes": { "type": "http", "url": "https://notes.example", "headers": { "X-Api-Key": "k-\u0031" } },
    "tool": { "command": "tool", "env": { "API_TOKEN": "t-2", "LEVEL": "high", "KEY": "{{stored}}" } },
    "_old": { "type": "http", "url": "https://old.example", "auth": { "client_id": "me", "client_secret": "s-3" } },
  },
}
"#;

/// The messages of a check with their lines, and whether the text can be saved.
fn check(folder: &TestFolder, text: &str) -> (Vec<(u32, Severity, String)>, bool) {
    let check = folder.file().check_text(text).expect("a check");
    let problems = check.problems.into_iter();
    (problems.map(|found| (found.line, found.severity, found.message)).collect(), check.can_be_saved)
}

fn hidden() -> String {
    FILE.replace(r"k-\u0031", HIDDEN).replace("t-2", HIDDEN).replace("s-3", HIDDEN)
}

#[test]
fn secrets_are_hidden_and_stay_when_the_text_is_saved() {
    let folder = TestFolder::with(FILE);
    let read = folder.file().text().expect("the text");
    assert_eq!(read.text, hidden());

    let edited = read.text.replace("notes.example", "notes.example/mcp").replace("team's", "team’s");
    let (config, saved) = folder.file().save_text(&edited, &read.version).expect("save");
    assert_eq!(folder.text(), FILE.replace("notes.example", "notes.example/mcp").replace("team's", "team’s"));
    assert_eq!(config, folder.file().load().expect("read the file"));
    assert_eq!(saved, folder.file().text().expect("the text"));
    assert_ne!(saved.version, read.version);
}

#[test]
fn a_hidden_value_is_kept_only_where_it_was() {
    let folder = TestFolder::with(FILE);
    let read = folder.file().text().expect("the text");
    let misplaced = format!("{HIDDEN} is at a place where no value was hidden");
    for (from, to, line) in [
        ("X-Api-Key", "X-Team", 4),
        ("\"high\"", "\"[hidden]\"", 5),
        ("\"https://old.example\"", "\"[hidden]\"", 6),
        ("\"LEVEL\"", "\"API_TOKEN\": \"[hidden]\", \"LEVEL\"", 5),
    ] {
        let edited = read.text.replacen(from, to, 1);
        assert_ne!(edited, read.text, "{from}");
        let (problems, can_be_saved) = check(&folder, &edited);
        assert!(problems.contains(&(line, Severity::Error, misplaced.clone())), "{problems:?}");
        assert!(!can_be_saved, "{from}");
        let error = folder.file().save_text(&edited, &read.version).expect_err(from);
        assert!(matches!(error, ConfigError::InvalidText { .. }), "{error}");
    }
    assert_eq!(folder.text(), FILE);
}

#[test]
fn secrets_in_arguments_addresses_and_comments_of_entries_are_hidden() {
    let file = r#"{
  "mcpServers": {
    "query": { "type": "http", "url": "https://query.example/mcp?team=a&api_key=s-1", "_headers": { "X-Key": "s-2" } },
    "tool": {
      "command": "npx",
      "args": ["mcp-remote", "https://r.example?token=s-3", "--header", "Authorization: Bearer s-4", "--api-key", "s-5", "--all"],
      "env": { "DATABASE_URL": "postgres://ada:s-6@db/notes", "KEY": "s-7" }
    },
    "list": { "command": ["tool", "--password=s-8"] },
    "oauth": { "url": "https://o.example", "oauth": { "tokenUrl": "https://o.example/token?key=s-9", "_clientSecret": "s-10" } }
  },
  "_mcpServers": { "old": { "url": "https://old.example", "headers": { "Authorization": "s-11" } } }
}
"#;
    let folder = TestFolder::with(file);
    let read = folder.file().text().expect("the text");
    assert!(!read.text.contains("s-"), "{}", read.text);
    assert!(read.text.contains("https://query.example/mcp?team=a&api_key=[hidden]"), "{}", read.text);
    let edited = read.text.replace("\"list\"", "\"renamed\"");
    folder.file().save_text(&edited, &read.version).expect("save");
    assert_eq!(folder.text(), file.replace("\"list\"", "\"renamed\""));

    let read = folder.file().text().expect("the text");
    for (from, to, line) in [
        ("query.example", "evil.example", 3),
        ("team=a", "team=b", 3),
        ("_headers", "headers", 3),
        ("r.example", "evil.example", 6),
        ("Authorization:", "X-Key:", 6),
        ("@db", "@evil", 7),
        ("--all", "--more", 7),
        ("--password=", "--passwd=", 9),
        ("_clientSecret", "clientSecret", 10),
        ("https://old.example", "https://evil.example", 12),
        ("\"--all\"", "\"--all\", \"X-Key: [hidden]\"", 6),
    ] {
        let edited = read.text.replacen(from, to, 1);
        assert_ne!(edited, read.text, "{from}");
        let (problems, can_be_saved) = check(&folder, &edited);
        let errors = problems.iter().filter(|(_, _, message)| message.starts_with(HIDDEN));
        assert!(errors.clone().any(|(found, ..)| *found == line) && !can_be_saved, "{from}: {problems:?}");
        folder.file().save_text(&edited, &read.version).expect_err(from);
    }
}

#[test]
fn a_text_that_a_person_wrote_is_no_hidden_value() {
    let file = r#"{ "mcpServers": { "a": { "command": "a", "description": "[hidden] from others" } } }"#;
    let folder = TestFolder::with(file);
    let version = folder.file().text().expect("the text").version;
    folder.file().save_text(&format!("{file}\n"), &version).expect("save");
}

/// Two services with a secret each, and a program.
fn services(first: &str, second: &str, third: &str) -> String {
    let service = |name: &str, url: &str, key: &str| {
        let headers = format!(r#""headers": {{ "Authorization": "{key}" }}"#);
        format!(r#""{name}": {{ "type": "http", "url": "{url}", {headers} }}"#)
    };
    let (old, new) = ("https://old.example/mcp", "https://new.example/mcp");
    let entries = [
        service("notes", old, first),
        service("notes-new", new, second),
        format!(r#""tool": {{ "command": "tool", "args": ["--all"], "env": {{ "KEY": "{third}" }} }}"#),
    ];
    format!("{{ \"mcpServers\": {{\n{}\n}} }}\n", entries.join(",\n"))
}

#[test]
fn a_hidden_value_follows_its_destination_when_entries_are_renamed() {
    let file = services("Bearer a", "Bearer b", "c");
    let without_first =
        |text: &str| text.lines().filter(|line| !line.contains("old.example")).collect::<String>();
    let swapped = |text: &str| {
        text.replace("\"notes\"", "\"\"").replace("notes-new", "notes").replace("\"\"", "\"notes-new\"")
    };
    for edit in [
        &|text: &str| text.replace("\"notes\"", "\"moved\"").replace("\"tool\": {", "\"moved-tool\": {"),
        &|text: &str| without_first(text).replace("notes-new", "notes"),
        &swapped,
    ] as [&dyn Fn(&str) -> String; 3]
    {
        let folder = TestFolder::with(&file);
        let read = folder.file().text().expect("the text");
        let edited = edit(&read.text);
        assert_ne!(edited, read.text);
        let (problems, can_be_saved) = check(&folder, &edited);
        assert!(can_be_saved, "{problems:?}");
        folder.file().save_text(&edited, &read.version).expect("save");
        assert_eq!(folder.text(), edit(&file));
    }
}

#[test]
fn a_renamed_entry_whose_value_is_ambiguous_needs_it_again() {
    let file = services("Bearer a", "Bearer b", "c").replace("new.example", "old.example");
    let folder = TestFolder::with(&file);
    let read = folder.file().text().expect("the text");
    let (problems, can_be_saved) = check(&folder, &read.text.replace("\"notes\"", "\"moved\""));
    let misplaced = format!("{HIDDEN} is at a place where no value was hidden");
    assert!(problems.contains(&(2, Severity::Error, misplaced)), "{problems:?}");
    assert!(!can_be_saved);
}

#[test]
fn a_hidden_value_never_goes_to_another_destination() {
    let provider = r#""identityProvider": { "tokenUrl": "https://idp.example/token", "clientId": "me", "idToken": "s-4" }"#;
    let oauth = format!(
        r#""oauth": {{ "clientId": "me", "clientSecret": "s-3", "tokenUrl": "https://as.example/t", {provider} }}"#
    );
    let file = services("Bearer a", "Bearer b", "c")
        .replace("https://new.example/mcp", "https://${HOST}/mcp")
        .replace(r#""Bearer b" }"#, &format!(r#""Bearer b" }}, {oauth}"#));
    let moved = format!("{HIDDEN} is not filled in, because the address or the command of its entry changed");
    for (from, to, line, count) in [
        ("https://old.example", "http://old.example", 2, 1),
        ("old.example", "evil.example", 2, 1),
        ("old.example", "old.example:8443", 2, 1),
        ("\"url\"", "\"_url\"", 2, 1),
        ("${HOST}", "${OTHER}", 3, 2),
        ("as.example", "evil.example", 3, 1),
        ("idp.example", "evil.example", 3, 1),
        ("\"tool\",", "\"other-tool\",", 4, 1),
        ("--all", "--upload=evil.example", 4, 1),
        ("\"args\"", "\"cwd\": \"/tmp\", \"args\"", 4, 1),
    ] {
        let folder = TestFolder::with(&file);
        let read = folder.file().text().expect("the text");
        assert!(!["Bearer", "s-3", "s-4"].iter().any(|secret| read.text.contains(secret)), "{}", read.text);
        let edited = read.text.replacen(from, to, 1);
        assert_ne!(edited, read.text, "{from}");
        let (problems, can_be_saved) = check(&folder, &edited);
        let found = problems.iter().filter(|found| **found == (line, Severity::Error, moved.clone()));
        assert_eq!(found.count(), count, "{from}: {problems:?}");
        assert!(!can_be_saved, "{from}");
        let error = folder.file().save_text(&edited, &read.version).expect_err(from);
        assert!(matches!(error, ConfigError::InvalidText { .. }), "{error}");
        assert_eq!(folder.text(), file);
        // The value that the person enters again is used.
        let entered = edited.replace(HIDDEN, "{{key}}");
        folder.file().save_text(&entered, &read.version).expect("save");
        assert_eq!(folder.text(), entered);
    }
}

#[test]
fn repeated_entries_keep_their_own_secrets() {
    let entry = |key: &str| format!(r#""a": {{ "command": "a", "env": {{ "KEY": "{key}" }} }}"#);
    let text = format!(r#"{{ "mcpServers": {{ {}, {} }} }}"#, entry("one"), entry("two"));
    let folder = TestFolder::with(&text);
    let read = folder.file().text().expect("the text");
    folder.file().save_text(&format!("{}\n", read.text), &read.version).expect("save");
    assert_eq!(folder.text(), format!("{text}\n"));

    // Which of the secrets belongs to the entry that is left?
    let read = folder.file().text().expect("the text");
    let one = format!(r#"{{ "mcpServers": {{ {} }} }}"#, entry(HIDDEN));
    let error = folder.file().save_text(&one, &read.version).expect_err("ambiguous");
    assert!(matches!(error, ConfigError::InvalidText { .. }), "{error}");
}

#[test]
fn a_check_finds_what_the_checker_of_the_file_finds() {
    let folder = TestFolder::with(FILE);
    let text = "{ \"mcpServers\": {\n  \"a\": { \"type\": \"http\" },\n  \"b\": { \"url\": \"https://b.example\" }\n} }";
    let check = folder.file().check_text(text).expect("a check");
    let other = TestFolder::with(text);
    assert_eq!(check.problems, other.file().check().expect("a check"));
    assert!(check.can_be_saved);
    let lines: Vec<_> = check.problems.iter().map(|found| (found.severity, found.line)).collect();
    assert_eq!(lines, [(Severity::Error, 2), (Severity::Warning, 3)]);
    assert_eq!(folder.text(), FILE);
}

#[test]
fn a_text_that_is_no_config_is_not_saved() {
    let folder = TestFolder::with(FILE);
    let version = folder.file().text().expect("the text").version;
    let large = format!("{{}}{}", " ".repeat(4 * 1024 * 1024));
    for text in ["{ \"mcpServers\": {", "[]", "{ \"mcpServers\": {}, \"mcpServers\": {} }", &large] {
        let (problems, can_be_saved) = check(&folder, text);
        assert!(!problems.is_empty() && !can_be_saved, "{problems:?}");
        let error = folder.file().save_text(text, &version).expect_err("not saved");
        assert!(matches!(error, ConfigError::InvalidText { .. }), "{error}");
    }
    assert_eq!(folder.text(), FILE);
}

#[test]
fn a_file_that_changed_meanwhile_is_not_replaced() {
    let folder = TestFolder::with(FILE);
    let read = folder.file().text().expect("the text");
    let changed = FILE.replace("// The", "// Our");
    fs::write(folder.file().path(), &changed).expect("write file");
    let error = folder.file().save_text("{}", &read.version).expect_err("it changed");
    assert!(matches!(error, ConfigError::FileChanged { .. }), "{error}");
    assert_eq!(folder.text(), changed);
    fs::remove_file(folder.file().path()).expect("remove the file");
    let error = folder.file().save_text("{}", &read.version).expect_err("it is gone");
    assert!(matches!(error, ConfigError::FileChanged { .. }), "{error}");
    assert!(!folder.file().path().exists());
}

#[test]
fn a_broken_file_is_read_and_mended() {
    let broken = "{ \"mcpServers\": { \"a\": { \"command\": \"a\" }";
    let folder = TestFolder::with(broken);
    let read = folder.file().text().expect("the text");
    assert_eq!(read.text, broken);
    folder.file().save_text(&format!("{broken} }} }}"), &read.version).expect("save");
    assert_eq!(folder.file().load().expect("a valid file").servers.len(), 1);
}

#[test]
fn a_missing_file_is_empty_and_created() {
    let folder = TestFolder::with("");
    fs::remove_file(folder.file().path()).expect("remove the file");
    let read = folder.file().text().expect("the text");
    assert_eq!(read.text, "");
    folder.file().save_text("{}\n", &read.version).expect("save");
    assert_eq!(folder.text(), "{}\n");
}

#[test]
fn line_ends_and_the_byte_order_mark_are_kept() {
    let folder = TestFolder::with("\u{feff}{\r\n  \"mcpServers\": {}\r\n}\r\n");
    let read = folder.file().text().expect("the text");
    assert_eq!(read.text, "{\n  \"mcpServers\": {}\n}\n");
    let edited = read.text.replace("{}", "{\n  }");
    let (_, saved) = folder.file().save_text(&edited, &read.version).expect("save");
    assert_eq!(saved.text, edited);
    assert_eq!(folder.text(), "\u{feff}{\r\n  \"mcpServers\": {\r\n  }\r\n}\r\n");
}

#[test]
fn mixed_line_ends_are_kept() {
    let mixed = "{\n  // One.\r\n  // Two.\n  \"mcpServers\": {}\r\n}\n";
    let folder = TestFolder::with(mixed);
    let read = folder.file().text().expect("the text");
    folder.file().save_text(&read.text.replace("Two", "Three"), &read.version).expect("save");
    assert_eq!(folder.text(), mixed.replace("Two", "Three"));
}

#[test]
fn a_hidden_value_keeps_its_line_breaks() {
    let file = "{ \"mcpServers\": {\r\n  \"a\": {\r\n    \"url\": \"https://a.example\",\r\n    \
        \"oauth\": { \"flow\": \"client_credentials\", \"clientId\": \"me\", \"privateKey\": \"one\r\ntwo\n  three\" }\r\n  }\r\n} }\r\n";
    let folder = TestFolder::with(file);
    for text in ["// First\n", "// Second\n"] {
        let read = folder.file().text().expect("the text");
        assert!(!read.text.contains("three"), "{}", read.text);
        folder.file().save_text(&format!("{}{text}", read.text), &read.version).expect("save");
    }
    assert_eq!(folder.text(), format!("{file}// First\r\n// Second\r\n"));

    let entry = folder.file().entry("a").expect("an entry");
    let edited = entry.text.replace("a.example", "a.example/mcp");
    folder.file().replace_entry("a", &edited, &entry.version).expect("replace");
    let expected = file.replace("a.example", "a.example/mcp");
    assert_eq!(folder.text(), format!("{expected}// First\r\n// Second\r\n"));
}

#[cfg(unix)]
#[test]
fn a_symlink_and_the_permissions_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let folder = TestFolder::with("");
    let (link, target) = (folder.file().path().to_owned(), folder.folder().join("real.json"));
    fs::rename(&link, &target).expect("move the file");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o640)).expect("set permissions");
    symlink("real.json", &link).expect("create link");
    let read = folder.file().text().expect("the text");
    folder.file().save_text("{}\n", &read.version).expect("save");
    assert!(fs::symlink_metadata(&link).expect("metadata").is_symlink());
    assert_eq!(fs::read_to_string(&target).expect("read file"), "{}\n");
    assert_eq!(fs::metadata(&target).expect("metadata").permissions().mode() & 0o777, 0o640);
}
