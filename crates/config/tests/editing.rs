//! Changes to `mcp.json`: what they write, what they leave alone, and when they refuse.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;
use usher_config::{ConfigError, ConfigFile, Environment, NewServer, NewTransport, Redirect, Transport};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn with(text: &str) -> Self {
        let place = Self::new();
        fs::write(place.path(), text).expect("written");
        place
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("mcp.json")
    }

    fn file(&self) -> ConfigFile {
        ConfigFile::new(self.path(), Environment::default())
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).expect("readable")
    }

    fn names(&self) -> Vec<String> {
        names_in(self.folder.path())
    }
}

fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

fn notion() -> NewServer {
    NewServer::http(Url::parse("https://mcp.notion.com/mcp").expect("an address"))
}

#[test]
fn a_missing_file_is_an_empty_config_and_the_first_server_makes_it() {
    let place = Place::new();
    let file = ConfigFile::new(place.folder.path().join("a/b/mcp.json"), Environment::default());
    assert_eq!(file.load().expect("empty"), Default::default());
    assert_eq!(file.check().expect("empty"), []);
    let config = file.add("notion", &notion()).expect("added");
    assert_eq!(config, file.load().expect("readable"));
    insta::assert_snapshot!(fs::read_to_string(file.path()).expect("readable"), @r#"
    {
      "mcpServers": {
        "notion": {
          "type": "http",
          "url": "https://mcp.notion.com/mcp"
        }
      }
    }
    "#);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode(&place.folder.path().join("a")), 0o700);
        assert_eq!(mode(file.path().parent().expect("a folder")), 0o700);
        assert_eq!(mode(file.path()), 0o600);
    }
}

const COMMENTED: &str = r#"// My servers
{
    "$schema": "https://example.com/schema.json", // for the editor
    "_note": ["kept", 1.50, { }],
    "mcpServers": {
        // the notes
        "notion": { "type": "http", "url": "https://mcp.notion.com/mcp", "timeout": 30 }, // work account

        /* old things */
        "old": {
            "type": "sse",   "url": "https://old.example.com/sse",
            "disabled": false, // for now
        },
        "files": { "command": "npx", "args": ["-y", "x"] }, // last
        // the end
    },
    "other": { "program": true }
}
"#;

#[test]
fn edits_keep_comments_unknown_keys_order_and_style() {
    let place = Place::with(COMMENTED);
    let file = place.file();
    let server = NewServer {
        transport: NewTransport::Http {
            url: Url::parse("https://mcp.corp.example/mcp").expect("an address"),
            headers: vec![("X-Team".to_owned(), "{{team}}".to_owned())],
        },
        client_id: Some("abc".to_owned()),
        client_secret: Some("{{corp_secret}}".to_owned()),
        scopes: Some(vec!["read".to_owned()]),
        redirect: Redirect::Loopback,
    };
    file.add("corp", &server).expect("added");
    file.set_disabled("old", true).expect("changed");
    file.set_disabled("notion", true).expect("changed");
    file.remove("files").expect("removed");
    insta::assert_snapshot!(place.text());
}

#[test]
fn what_is_added_is_read_back() {
    let place = Place::new();
    let server = NewServer {
        transport: NewTransport::Stdio {
            command: "npx".to_owned(),
            args: vec!["-y".to_owned(), "é\"\\".to_owned()],
        },
        ..notion()
    };
    let config = place.file().add("weird \"name\" \\ 日本", &server).expect("added");
    assert_eq!(config.servers.len(), 1);
    assert_eq!(config.servers[0].name, "weird \"name\" \\ 日本");
    let Transport::Stdio { args, .. } = &config.servers[0].transport else { panic!("not stdio") };
    assert_eq!(args.iter().map(|arg| arg.source()).collect::<Vec<_>>(), ["-y", "é\"\\"]);
}

#[test]
fn adding_and_removing_again_leaves_the_file_as_it_was() {
    let place = Place::with(COMMENTED);
    place.file().add("new", &notion()).expect("added");
    assert_ne!(place.text(), COMMENTED);
    place.file().remove("new").expect("removed");
    assert_eq!(place.text(), COMMENTED);
}

#[test]
fn line_ends_indentation_and_byte_order_mark_stay() {
    let text = "\u{feff}{\r\n\t\"mcpServers\": {\r\n\t\t\"a\": {\"type\": \"http\", \"url\": \"https://a.example\"}\r\n\t}\r\n}\r\n";
    let place = Place::with(text);
    place.file().add("notion", &notion()).expect("added");
    let expected = "\u{feff}{\r\n\t\"mcpServers\": {\r\n\t\t\"a\": {\"type\": \"http\", \"url\": \"https://a.example\"},\r\n\t\t\"notion\": {\r\n\t\t\t\"type\": \"http\",\r\n\t\t\t\"url\": \"https://mcp.notion.com/mcp\"\r\n\t\t}\r\n\t}\r\n}\r\n";
    assert_eq!(place.text(), expected);
}

#[test]
fn odd_but_valid_files_take_a_server() {
    for text in [
        "",
        "\n",
        "// just a comment\n",
        "{}",
        "{ // here\n}",
        "{\"mcpServers\": {}}",
        "{\"mcpServers\": null}",
        "{\"mcpServers\": { /* none */ }, \"x\": 1}",
        "{\"mcpServers\": {\"_old\": 1}}",
        "{\"a\": 1,}",
        "/* a */ {} // b",
    ] {
        let place = Place::with(text);
        let config =
            place.file().add("notion", &notion()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(config.servers.len(), 1, "{text:?}");
        let after = place.text();
        for comment in ["// just a comment", "// here", "/* none */", "/* a */", "// b", "\"_old\": 1"] {
            assert_eq!(text.contains(comment), after.contains(comment), "{text:?} became {after:?}");
        }
    }
}

#[test]
fn a_server_that_would_break_the_file_is_refused() {
    let place = Place::with(COMMENTED);
    let with_header = |name: &str, value: &str| NewServer {
        transport: NewTransport::Http {
            url: Url::parse("https://a.example").expect("an address"),
            headers: vec![(name.to_owned(), value.to_owned())],
        },
        ..notion()
    };
    let secret_alone = NewServer { client_secret: Some("{{s}}".to_owned()), ..notion() };
    let said: Vec<String> = [
        place.file().add("notion", &notion()),
        place.file().add("", &notion()),
        place.file().add("a\nb", &notion()),
        place.file().add("_a", &notion()),
        place.file().add("a", &with_header("X-A", "a\r\nHost: x")),
        place.file().add("a", &with_header("a\r\nHost", "x")),
        place.file().add("a", &secret_alone),
        place.file().remove("nobody"),
        place.file().remove("_note"),
        place.file().set_disabled("nobody", true),
    ]
    .into_iter()
    .map(|result| {
        let error = result.expect_err("refused");
        format!("{error}\n    {}", error.hint().unwrap_or_default())
    })
    .collect();
    insta::assert_snapshot!(said.join("\n"));
    assert_eq!(place.text(), COMMENTED);
    assert_eq!(place.names(), ["mcp.json"]);
}

#[test]
fn a_broken_file_is_never_overwritten() {
    for text in ["{\"mcpServers\": {", "[]", "{\"mcpServers\": {\"a\": {}}}", "{\"mcpServers\": 1}"] {
        let place = Place::with(text);
        let file = place.file();
        for result in [
            file.add("b", &notion()),
            file.remove("a"),
            file.set_disabled("a", true),
            file.set_client("a", "id", None),
        ] {
            let error = result.expect_err("refused");
            assert!(matches!(error, ConfigError::Invalid { .. }), "{text:?}: {error}");
            assert_eq!(error.line(), Some(1));
        }
        assert_eq!(place.text(), text);
        assert_eq!(place.names(), ["mcp.json"]);
    }
    let place = Place::new();
    fs::write(place.path(), b"\xff\xfe").expect("written");
    place.file().add("b", &notion()).expect_err("refused");
    assert_eq!(fs::read(place.path()).expect("readable"), b"\xff\xfe");
}

#[test]
fn a_client_is_set_in_the_spelling_that_is_there() {
    let text = r#"{"mcpServers": {
  "plain": {"type": "http", "url": "https://a.example"},
  "ours": {"type": "http", "url": "https://a.example", "oauth": {"clientId": "old", "clientSecret": "{{old}}", "scopes": ["r"]}},
  "auth": {"type": "http", "url": "https://a.example", "auth": {"client_id": "old" /* here */}},
  "top": {"type": "http", "url": "https://a.example", "oauth_client_id": "old"}
}}"#;
    let place = Place::with(text);
    for name in ["plain", "ours", "auth", "top"] {
        let config = place.file().set_client(name, "new", Some("{{new}}")).expect("changed");
        let oauth = &config.server(name).expect("there").oauth;
        assert_eq!(oauth.client_id.as_deref(), Some("new"));
        assert_eq!(oauth.client_secret.as_ref().map(|secret| secret.source()), Some("{{new}}"));
    }
    let config = place.file().set_client("ours", "public", None).expect("changed");
    assert_eq!(config.server("ours").and_then(|server| server.oauth.client_secret.clone()), None);
    insta::assert_snapshot!(place.text());
}

#[test]
fn nothing_is_written_where_nothing_changes() {
    let place = Place::with(COMMENTED);
    let before = fs::metadata(place.path()).expect("there").modified().expect("a time");
    place.file().set_disabled("old", false).expect("as it is");
    place.file().set_disabled("files", false).expect("as it is");
    assert_eq!(place.text(), COMMENTED);
    assert_eq!(fs::metadata(place.path()).expect("there").modified().expect("a time"), before);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_link_is_written_through_and_stays_one() {
        let place = Place::new();
        let dotfiles = place.folder.path().join("dotfiles");
        fs::create_dir(&dotfiles).expect("made");
        fs::write(dotfiles.join("real.json"), "{}").expect("written");
        symlink("real.json", dotfiles.join("second")).expect("linked");
        symlink("dotfiles/second", place.path()).expect("linked");
        place.file().add("notion", &notion()).expect("added");
        assert!(fs::symlink_metadata(place.path()).expect("there").is_symlink());
        assert!(fs::symlink_metadata(dotfiles.join("second")).expect("there").is_symlink());
        assert!(fs::read_to_string(dotfiles.join("real.json")).expect("readable").contains("notion"));
        assert_eq!(names_in(&dotfiles), ["real.json", "second"]);
        assert_eq!(place.names(), ["dotfiles", "mcp.json"]);
    }

    #[test]
    fn a_link_to_nothing_makes_the_file_it_names() {
        let place = Place::new();
        symlink("later/real.json", place.path()).expect("linked");
        assert_eq!(place.file().load().expect("empty").servers, []);
        place.file().add("notion", &notion()).expect("added");
        assert!(fs::symlink_metadata(place.path()).expect("there").is_symlink());
        assert!(place.folder.path().join("later/real.json").exists());
    }

    #[test]
    fn links_in_a_circle_are_an_error() {
        let place = Place::new();
        symlink("mcp.json", place.path()).expect("linked");
        assert!(matches!(place.file().add("notion", &notion()), Err(ConfigError::Io { .. })));
    }

    #[test]
    fn permissions_stay_and_the_file_is_replaced_whole() {
        let place = Place::with(COMMENTED);
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o640)).expect("set");
        let before = fs::metadata(place.path()).expect("there");
        place.file().remove("old").expect("removed");
        let after = fs::metadata(place.path()).expect("there");
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_ne!(after.ino(), before.ino());
    }

    #[test]
    fn a_read_only_file_is_left_alone() {
        let place = Place::with("{}");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o444)).expect("set");
        assert!(matches!(place.file().add("notion", &notion()), Err(ConfigError::Io { .. })));
        assert_eq!(place.text(), "{}");
        assert_eq!(place.names(), ["mcp.json"]);
    }

    #[test]
    fn many_writers_lose_nothing() {
        let place = Place::with(COMMENTED);
        std::thread::scope(|scope| {
            for number in 0..16 {
                let file = place.file();
                scope.spawn(move || file.add(&format!("server {number}"), &notion()).expect("added"));
            }
        });
        let config = place.file().load().expect("readable");
        assert_eq!(config.servers.len(), 3 + 16);
        assert!(place.text().contains("// the end"));
    }
}
