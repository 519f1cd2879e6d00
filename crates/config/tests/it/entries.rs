//! The texts from which entries are added and edited.

use std::collections::HashSet;

use secrecy::{ExposeSecret, SecretString};
use usher_config::{ConfigError, Diagnostic, Draft, GivenSecret, HIDDEN, Transport, read_pasted};

use crate::fixture::TestFolder;

fn draft(name: &str, text: &str) -> Result<Draft, Vec<Diagnostic>> {
    TestFolder::with("{}").file().draft(name, text, &[], &HashSet::new())
}

/// The name and the draft of each server in a text.
fn pasted(text: &str) -> Vec<(Option<String>, Draft)> {
    let entries = read_pasted(text).expect("a server");
    let drafted = |text: &str| draft("new", text).expect("a valid entry");
    entries.into_iter().map(|entry| (entry.name, drafted(&entry.text))).collect()
}

/// The draft of the only server in a text, which has no name.
fn one(text: &str) -> Draft {
    let mut found = pasted(text);
    assert_eq!(found.len(), 1, "{text}");
    let (name, draft) = found.remove(0);
    assert_eq!(name, None, "{text}");
    draft
}

fn taken(draft: &Draft) -> Vec<(String, String, String)> {
    let secrets = draft.secrets.iter();
    secrets
        .map(|secret| {
            (secret.name.clone(), secret.setting.join("."), secret.value.expose_secret().to_owned())
        })
        .collect()
}

#[test]
fn an_address_is_recognised_with_or_without_its_scheme() {
    for (text, url) in [
        ("https://mcp.example.com/mcp", "https://mcp.example.com/mcp"),
        ("  mcp.example.com/mcp\n", "https://mcp.example.com/mcp"),
        ("mcp.example.com:8443", "https://mcp.example.com:8443/"),
        ("localhost:3000/mcp", "https://localhost:3000/mcp"),
        ("http://localhost:3000/mcp", "http://localhost:3000/mcp"),
    ] {
        let draft = one(text);
        let Transport::Http { url: read, .. } = &draft.server.transport else { panic!("{text}") };
        assert_eq!(read.as_str(), url, "{text}");
    }
}

#[test]
fn a_command_line_is_split_as_a_shell_does() {
    let text = r#"$ LEVEL=debug npx -y "@scope/my server" --root '~/a b'"#;
    let draft = one(text);
    let Transport::Stdio { command, args, env, cwd } = &draft.server.transport else { panic!("a program") };
    assert_eq!(command.source(), "npx");
    let args: Vec<_> = args.iter().map(|argument| argument.source()).collect();
    assert_eq!(args, ["-y", "@scope/my server", "--root", "~/a b"]);
    assert_eq!((env[0].0.as_str(), env[0].1.source()), ("LEVEL", "debug"));
    assert!(cwd.is_none());
}

#[test]
fn the_json_of_other_clients_is_recognised() {
    let entry = r#"{ "url": "https://mcp.example.com/mcp" }"#;
    for (text, name) in [
        (entry.to_owned(), None),
        (format!(r#""docs": {entry},"#), Some("docs")),
        (format!(r#"{{ "docs": {entry} }}"#), Some("docs")),
        (format!(r#"{{ "mcpServers": {{ "docs": {entry} }} }}"#), Some("docs")),
        (format!(r#"{{ "inputs": [], "servers": {{ "docs": {entry} }} }}"#), Some("docs")),
        (format!(r#"{{ "mcp": {{ "servers": {{ "docs": {entry} }} }} }}"#), Some("docs")),
        (format!(r#"{{ "theme": {{}}, "context_servers": {{ "docs": {entry} }} }}"#), Some("docs")),
        (format!("{{ // mine\n \"mcp\": {{ \"docs\": {entry}, }} }}"), Some("docs")),
    ] {
        let found = pasted(&text);
        assert_eq!(found.len(), 1, "{text}");
        assert_eq!(found[0].0.as_deref(), name, "{text}");
        assert!(matches!(found[0].1.server.transport, Transport::Http { .. }), "{text}");
    }
    let several = r#"{ "mcpServers": { "a": { "command": "x" }, "_note": 1, "b": { "cmd": ["y", "z"] } } }"#;
    let names: Vec<_> = pasted(several).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, [Some("a".to_owned()), Some("b".to_owned())]);
}

#[test]
fn a_text_that_is_no_server_is_explained() {
    for (text, message) in [
        ("", "there is nothing to add"),
        ("notaurl", "`notaurl` is neither an address nor a command with arguments"),
        ("ftp://example.com", "this is not a valid web address"),
        ("https://", "this is not a valid web address"),
        ("npx 'a", "this command has a quote that is not closed"),
        ("A=b", "there is no command"),
        ("{}", "this JSON contains no server"),
        (r#"{ "mcpServers": {} }"#, "this JSON contains no server"),
        (r#"{ "mcpServers": [ }"#, "unexpected `}`"),
    ] {
        let error = read_pasted(text).err().unwrap_or_else(|| panic!("{text}"));
        assert_eq!(error.message, message, "{text}");
        assert!(error.hint.is_some(), "{text}");
    }
    assert_eq!(read_pasted(&"a ".repeat(200_000)).expect_err("too long").message, "this text is too long");
}

#[test]
fn errors_have_their_positions_in_the_pasted_text() {
    let text = "{ \"mcpServers\": {\n  \"a\": { \"command\": \"x\" },\n  \"b\": { \"url\": \"nowhere\" } } }";
    let entries = read_pasted(text).expect("two servers");
    let errors = draft("b", &entries[1].text).err().expect("an error");
    assert_eq!(
        (errors[0].line, errors[0].column, errors[0].message.as_str()),
        (3, 17, "`url` is not a web address")
    );
    let errors = draft("a", r#"{ "url": "nowhere" }"#).err().expect("an error");
    assert_eq!((errors[0].line, errors[0].column), (1, 10));
    for outside in [r#"{ "command": "x" }, "other": { "command": "y" }"#, "[]", "1", "", "{} {}"] {
        assert!(draft("a", outside).is_err(), "{outside}");
    }
}

#[test]
fn secrets_in_plain_text_become_placeholders() {
    let text = r#"{
        "serverUrl": "https://mcp.example.com",
        "headers": { "X-Api-Key": "k-1", "X-Team": "red", "Authorization": "Bearer {{own}}" },
        "auth": { "client_id": "id", "client_secret": "s-1", "scope": "read write" }
    }"#;
    let secret = draft("my corp", text).expect("a valid entry");
    assert_eq!(
        taken(&secret),
        [
            ("my_20_corp_header_x-api-key", "headers.X-Api-Key", "k-1"),
            ("my_20_corp_client_secret", "oauth.clientSecret", "s-1"),
        ]
        .map(|(name, setting, value)| (name.to_owned(), setting.to_owned(), value.to_owned()))
    );
    assert!(!secret.entry.contains("k-1") && !secret.entry.contains("s-1"), "{}", secret.entry);
    assert!(secret.shown.contains("k-1") && secret.shown.contains("clientSecret"), "{}", secret.shown);
    let names: Vec<_> = secret.server.secrets().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["my_20_corp_header_x-api-key", "own", "my_20_corp_client_secret"]);

    let program =
        r#"{ "command": "x", "env": { "API_KEY": "k", "LEVEL": "1", "TOKEN": "", "KEY_2": "${KEY}" } }"#;
    let program = draft("notes", program).expect("a valid entry");
    assert_eq!(
        taken(&program),
        [("notes_env_API_5f_KEY".to_owned(), "env.API_KEY".to_owned(), "k".to_owned())]
    );
}

#[test]
fn a_given_secret_gets_a_free_name_and_a_placeholder() {
    let folder = TestFolder::with("{}");
    let key = |value: &str| GivenSecret {
        setting: vec!["headers".to_owned(), "X-Team".to_owned()],
        value: SecretString::from(value),
    };
    let used = HashSet::from(["a_header_x-team".to_owned()]);
    let text = r#"{ "type": "http", "url": "https://mcp.example.com" }"#;
    let draft = folder.file().draft("a", text, &[key("k-1")], &used).expect("a valid entry");
    let Transport::Http { headers, .. } = &draft.server.transport else { panic!("an address") };
    assert_eq!(headers[0].value.source(), "{{a_header_x-team-2}}");
    assert_eq!(taken(&draft)[0].0, "a_header_x-team-2");
    assert_eq!(draft.shown, "{\n  \"type\": \"http\",\n  \"url\": \"https://mcp.example.com\"\n}");
}

#[test]
fn a_given_secret_does_not_replace_the_secret_of_another_setting() {
    let given = GivenSecret {
        setting: vec!["headers".to_owned(), "X-Team".to_owned()],
        value: SecretString::from("k-1"),
    };
    let text = r#"{ "url": "https://mcp.example.com", "headers": { "X-Old": "{{a_header_x-team}}" } }"#;
    let file = TestFolder::with("{}").file();
    let draft = file.draft("a", text, &[given], &HashSet::new()).expect("a valid entry");
    assert_eq!(taken(&draft)[0].0, "a_header_x-team-2");
}

const FILE: &str = r#"{
  // Mine.
  "mcpServers": {
    "one": { "type": "http", "url": "https://one.example" }, // first
    "two": {
      "type": "http",
      "url": "https://two.example", // kept
      "headers": { "Authorization": "Bearer plain" }
    }
  }
}
"#;

#[test]
fn an_entry_is_read_without_its_secrets_and_replaced_in_place() {
    let folder = TestFolder::with(FILE);
    let entry = folder.file().entry("two").expect("an entry");
    assert_eq!(
        entry.text,
        format!(
            "{{\n  \"type\": \"http\",\n  \"url\": \"https://two.example\", // kept\n  \"headers\": {{ \"Authorization\": \"{HIDDEN}\" }}\n}}"
        )
    );
    let drafted = folder.file().draft("two", &entry.text, &[], &HashSet::new()).expect("a valid entry");
    assert!(drafted.secrets.is_empty());
    assert_eq!(drafted.hidden, [["headers", "Authorization"]]);

    let edited = entry.text.replace("two.example", "two.example/mcp");
    folder.file().replace_entry("two", &edited, &entry.version).expect("replace");
    assert_eq!(folder.text(), FILE.replace("two.example", "two.example/mcp"));
    let outdated = folder.file().replace_entry("two", &edited, &entry.version).expect_err("it changed");
    assert!(matches!(outdated, ConfigError::EntryChanged { .. }), "{outdated}");
}

#[test]
fn a_hidden_value_of_an_entry_never_goes_to_another_host() {
    let folder = TestFolder::with(FILE);
    let entry = folder.file().entry("two").expect("an entry");
    let edited = entry.text.replace("two.example", "evil.example");
    for error in [
        folder.file().check_replace("two", &edited, &entry.version).expect_err("another host"),
        folder.file().replace_entry("two", &edited, &entry.version).expect_err("another host"),
    ] {
        assert!(error.to_string().contains("the address or the command of its entry changed"), "{error}");
    }
    assert_eq!(folder.text(), FILE);
}

#[test]
fn a_hidden_argument_stays_while_the_program_is_the_same() {
    let file = r#"{ "mcpServers": { "a": { "command": ["npx", "x", "--api-key", "k-1"], "env": { "KEY": "k-2" } } } }"#;
    let folder = TestFolder::with(file);
    let entry = folder.file().entry("a").expect("an entry");
    assert!(!entry.text.contains("k-"), "{}", entry.text);
    let split = format!(
        r#"{{ "command": "npx", "args": ["x", "--api-key", "{HIDDEN}"], "env": {{ "KEY": "{HIDDEN}" }} }}"#
    );
    let other = split.replace("\"x\"", "\"y\"");
    folder.file().replace_entry("a", &other, &entry.version).expect_err("another program");
    assert_eq!(folder.text(), file);
    folder.file().replace_entry("a", &split, &entry.version).expect("replace");
    assert!(
        folder.text().contains(r#""x", "--api-key", "k-1"], "env": { "KEY": "k-2" }"#),
        "{}",
        folder.text()
    );
}

#[test]
fn a_secret_that_looks_like_an_invalid_placeholder_is_hidden() {
    let entry = r#"{ "command": "x", "env": { "API_KEY": "k-1{{" }, "headers": { "X-Key": "k-1{{" } }"#;
    let folder = TestFolder::with(format!(r#"{{ "mcpServers": {{ "a": {entry} }} }}"#));
    let text = folder.file().entry("a").expect("an entry").text;
    assert!(!text.contains("k-1"), "{text}");
}

#[test]
fn a_rejected_replacement_changes_nothing() {
    let folder = TestFolder::with(FILE);
    let version = folder.file().entry("one").expect("an entry").version;
    for entry in [
        "",
        "[]",
        r#"{ "url": "nowhere" }"#,
        r#"{ "command": "x" }, "three": { "command": "y" }"#,
        r#"{ "url": "https://one.example", "headers": { "Authorization": "[hidden]" } }"#,
        r#"{ "url": "https://one.example", "headers": { "X-Team": "[hidden]" } }"#,
    ] {
        let error = folder.file().replace_entry("one", entry, &version).expect_err(entry);
        assert!(matches!(error, ConfigError::InvalidServer { .. }), "{error}");
    }
    let unknown = folder.file().replace_entry("three", "{}", &version).expect_err("no such entry");
    assert!(matches!(unknown, ConfigError::NoSuchServer { .. }));
    assert_eq!(folder.text(), FILE);
}

#[test]
fn an_entry_that_makes_the_file_too_large_is_rejected() {
    let folder = TestFolder::with(FILE);
    let entry = format!(r#"{{ "command": "x", "args": ["{}"] }}"#, "a".repeat(4 * 1024 * 1024));
    let error = folder.file().add_entry("three", &entry).expect_err("too large");
    assert!(matches!(error, ConfigError::InvalidServer { .. }), "{error}");
    assert_eq!(folder.text(), FILE);
}

#[test]
fn an_added_entry_keeps_its_comments_and_the_style_of_the_file() {
    let folder = TestFolder::with(FILE.replace('\n', "\r\n"));
    let entry = "{\n  // Why.\n  \"command\": \"x\"\n}";
    folder.file().add_entry("three", entry).expect("add");
    let text = folder.text();
    assert!(
        text.contains("    \"three\": {\r\n      // Why.\r\n      \"command\": \"x\"\r\n    }\r\n"),
        "{text}"
    );
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    let twice = folder.file().add_entry("three", entry).expect_err("the name is in use");
    assert!(matches!(twice, ConfigError::ServerExists { .. }));
}
