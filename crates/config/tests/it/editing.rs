//! Edits to `mcp.json`.

use std::fs;
use std::path::Path;

use url::Url;
use usher_config::{ConfigError, ConfigFile, Environment, NewServer, NewTransport, Redirect, Transport};

use crate::fixture::{TestFolder, names_in};

fn notion() -> NewServer {
    NewServer::http(Url::parse("https://mcp.notion.com/mcp").expect("valid URL"))
}

#[test]
fn a_missing_file_is_an_empty_config_and_is_created_with_the_first_server() {
    let folder = TestFolder::new();
    let file = ConfigFile::new(folder.folder().join("a/b/mcp.json"), Environment::default());
    assert_eq!(file.load().expect("empty config"), Default::default());
    assert_eq!(file.check().expect("empty config"), []);
    let config = file.add("notion", &notion()).expect("add server");
    assert_eq!(config, file.load().expect("read file"));
    insta::assert_snapshot!(fs::read_to_string(file.path()).expect("read file"), @r#"
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
        let mode = |path: &Path| fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
        assert_eq!(mode(&folder.folder().join("a")), 0o700);
        assert_eq!(mode(file.path().parent().expect("parent folder")), 0o700);
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
    let folder = TestFolder::with(COMMENTED);
    let file = folder.file();
    let server = NewServer {
        transport: NewTransport::Http {
            url: Url::parse("https://mcp.corp.example/mcp").expect("valid URL"),
            headers: vec![("X-Team".to_owned(), "{{team}}".to_owned())],
        },
        client_id: Some("abc".to_owned()),
        client_secret: Some("{{corp_secret}}".to_owned()),
        scopes: Some(vec!["read".to_owned()]),
        redirect: Redirect::Loopback,
        ..notion()
    };
    file.add("corp", &server).expect("add server");
    file.set_disabled("old", true).expect("change server");
    file.set_disabled("notion", true).expect("change server");
    file.remove("files").expect("remove");
    insta::assert_snapshot!(folder.text());
}

#[test]
fn an_added_server_is_read_back() {
    let folder = TestFolder::new();
    let server = NewServer {
        transport: NewTransport::Stdio {
            command: "npx".to_owned(),
            args: vec!["-y".to_owned(), "é\"\\".to_owned()],
            env: vec![("KEY".to_owned(), "{{key}}".to_owned())],
            cwd: Some("~/notes".to_owned()),
        },
        ..notion()
    };
    let config = folder.file().add("weird \"name\" \\ 日本", &server).expect("add server");
    assert_eq!(config.servers.len(), 1);
    assert_eq!(config.servers[0].name, "weird \"name\" \\ 日本");
    let Transport::Stdio { args, env, cwd, .. } = &config.servers[0].transport else { panic!("not stdio") };
    assert_eq!(env[0].1.source(), "{{key}}");
    assert_eq!(cwd.as_ref().map(|cwd| cwd.source()), Some("~/notes"));
    assert_eq!(args.iter().map(|arg| arg.source()).collect::<Vec<_>>(), ["-y", "é\"\\"]);
}

#[test]
fn adding_and_removing_a_server_restores_the_file() {
    let folder = TestFolder::with(COMMENTED);
    folder.file().add("new", &notion()).expect("add server");
    assert_ne!(folder.text(), COMMENTED);
    folder.file().remove("new").expect("remove");
    assert_eq!(folder.text(), COMMENTED);
}

#[test]
fn line_endings_indentation_and_byte_order_mark_are_kept() {
    let text = "\u{feff}{\r\n\t\"mcpServers\": {\r\n\t\t\"a\": {\"type\": \"http\", \"url\": \"https://a.example\"}\r\n\t}\r\n}\r\n";
    let folder = TestFolder::with(text);
    folder.file().add("notion", &notion()).expect("add server");
    let expected = "\u{feff}{\r\n\t\"mcpServers\": {\r\n\t\t\"a\": {\"type\": \"http\", \"url\": \"https://a.example\"},\r\n\t\t\"notion\": {\r\n\t\t\t\"type\": \"http\",\r\n\t\t\t\"url\": \"https://mcp.notion.com/mcp\"\r\n\t\t}\r\n\t}\r\n}\r\n";
    assert_eq!(folder.text(), expected);
}

#[test]
fn a_server_can_be_added_to_unusual_files() {
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
        let folder = TestFolder::with(text);
        let config =
            folder.file().add("notion", &notion()).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(config.servers.len(), 1, "{text:?}");
        let after = folder.text();
        for comment in ["// just a comment", "// here", "/* none */", "/* a */", "// b", "\"_old\": 1"] {
            assert_eq!(text.contains(comment), after.contains(comment), "{text:?} became {after:?}");
        }
    }
}

#[test]
fn invalid_edits_are_rejected() {
    let folder = TestFolder::with(COMMENTED);
    let with_header = |name: &str, value: &str| NewServer {
        transport: NewTransport::Http {
            url: Url::parse("https://a.example").expect("valid URL"),
            headers: vec![(name.to_owned(), value.to_owned())],
        },
        ..notion()
    };
    let secret_without_id = NewServer { client_secret: Some("{{s}}".to_owned()), ..notion() };
    let errors: Vec<String> = [
        folder.file().add("notion", &notion()),
        folder.file().add("", &notion()),
        folder.file().add("a\nb", &notion()),
        folder.file().add("_a", &notion()),
        folder.file().add("a", &with_header("X-A", "a\r\nHost: x")),
        folder.file().add("a", &with_header("a\r\nHost", "x")),
        folder.file().add("a", &secret_without_id),
        folder.file().remove("unknown"),
        folder.file().remove("_note"),
        folder.file().set_disabled("unknown", true),
    ]
    .into_iter()
    .map(|result| {
        let error = result.expect_err("should be rejected");
        format!("{error}\n    {}", error.hint().unwrap_or_default())
    })
    .collect();
    insta::assert_snapshot!(errors.join("\n"));
    assert_eq!(folder.text(), COMMENTED);
    assert_eq!(folder.names(), ["mcp.json"]);
}

#[test]
fn a_broken_file_is_never_overwritten() {
    for text in
        ["{\"mcpServers\": {", "[]", "{\"mcpServers\": {}, \"mcpServers\": {}}", "{\"mcpServers\": 1}"]
    {
        let folder = TestFolder::with(text);
        let file = folder.file();
        for result in [
            file.add("b", &notion()),
            file.remove("a"),
            file.set_disabled("a", true),
            file.set_client("a", "id", None),
        ] {
            let error = result.expect_err("should be rejected");
            assert!(matches!(error, ConfigError::Invalid { .. }), "{text:?}: {error}");
            assert_eq!(error.line(), Some(1));
        }
        assert_eq!(folder.text(), text);
        assert_eq!(folder.names(), ["mcp.json"]);
    }
}

#[test]
fn a_client_is_set_under_the_existing_keys() {
    let text = r#"{"mcpServers": {
  "plain": {"type": "http", "url": "https://a.example"},
  "ours": {"type": "http", "url": "https://a.example", "oauth": {"clientId": "old", "clientSecret": "{{old}}", "scopes": ["r"]}},
  "auth": {"type": "http", "url": "https://a.example", "auth": {"client_id": "old" /* here */}},
  "top": {"type": "http", "url": "https://a.example", "oauth_client_id": "old"}
}}"#;
    let folder = TestFolder::with(text);
    for name in ["plain", "ours", "auth", "top"] {
        let config = folder.file().set_client(name, "new", Some("{{new}}")).expect("change server");
        let oauth = &config.server(name).expect("server exists").oauth;
        assert_eq!(oauth.client_id.as_deref(), Some("new"));
        assert_eq!(oauth.client_secret.as_ref().map(|secret| secret.source()), Some("{{new}}"));
    }
    let config = folder.file().set_client("ours", "public", None).expect("change server");
    assert_eq!(config.server("ours").and_then(|server| server.oauth.client_secret.clone()), None);
    insta::assert_snapshot!(folder.text());
}

#[test]
fn an_edit_without_effect_does_not_write() {
    let folder = TestFolder::with(COMMENTED);
    let before = fs::metadata(folder.path()).expect("metadata").modified().expect("modification time");
    folder.file().set_disabled("old", false).expect("no change");
    folder.file().set_disabled("files", false).expect("no change");
    assert_eq!(folder.text(), COMMENTED);
    assert_eq!(fs::metadata(folder.path()).expect("metadata").modified().expect("modification time"), before);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_symlink_is_kept_and_its_target_written() {
        let folder = TestFolder::new();
        let dotfiles = folder.folder().join("dotfiles");
        fs::create_dir(&dotfiles).expect("create folder");
        fs::write(dotfiles.join("real.json"), "{}").expect("write file");
        symlink("real.json", dotfiles.join("second")).expect("create link");
        symlink("dotfiles/second", folder.path()).expect("create link");
        folder.file().add("notion", &notion()).expect("add server");
        assert!(fs::symlink_metadata(folder.path()).expect("metadata").is_symlink());
        assert!(fs::symlink_metadata(dotfiles.join("second")).expect("metadata").is_symlink());
        assert!(fs::read_to_string(dotfiles.join("real.json")).expect("read file").contains("notion"));
        assert_eq!(names_in(&dotfiles), ["real.json", "second"]);
        assert_eq!(folder.names(), ["dotfiles", "mcp.json"]);
    }

    #[test]
    fn the_missing_target_of_a_symlink_is_created() {
        let folder = TestFolder::new();
        symlink("later/real.json", folder.path()).expect("create link");
        assert_eq!(folder.file().load().expect("empty config").servers, []);
        folder.file().add("notion", &notion()).expect("add server");
        assert!(fs::symlink_metadata(folder.path()).expect("metadata").is_symlink());
        assert!(folder.folder().join("later/real.json").exists());
    }

    #[test]
    fn a_cycle_of_symlinks_is_an_error() {
        let folder = TestFolder::new();
        symlink("mcp.json", folder.path()).expect("create link");
        assert!(matches!(folder.file().add("notion", &notion()), Err(ConfigError::Io { .. })));
    }

    #[test]
    fn permissions_are_kept_and_the_file_is_replaced_atomically() {
        let folder = TestFolder::with(COMMENTED);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o640)).expect("set permissions");
        let before = fs::metadata(folder.path()).expect("metadata");
        folder.file().remove("old").expect("remove");
        let after = fs::metadata(folder.path()).expect("metadata");
        assert_eq!(after.mode() & 0o777, 0o640);
        assert_ne!(after.ino(), before.ino());
    }

    #[test]
    fn a_read_only_file_is_not_changed() {
        let folder = TestFolder::with("{}");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o444)).expect("set permissions");
        assert!(matches!(folder.file().add("notion", &notion()), Err(ConfigError::Io { .. })));
        assert_eq!(folder.text(), "{}");
        assert_eq!(folder.names(), ["mcp.json"]);
    }

    #[test]
    fn concurrent_writers_lose_nothing() {
        let folder = TestFolder::with(COMMENTED);
        std::thread::scope(|scope| {
            for number in 0..16 {
                let file = folder.file();
                scope.spawn(move || file.add(&format!("server {number}"), &notion()).expect("add server"));
            }
        });
        let config = folder.file().load().expect("read file");
        assert_eq!(config.servers.len(), 3 + 16);
        assert!(folder.text().contains("// the end"));
    }
}
