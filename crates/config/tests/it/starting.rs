//! The commented file of a first run, and its restoration.

use std::fs;

use url::Url;
use usher_config::{ConfigFile, Environment, NewServer, Transport, starter_text};

use crate::fixture::names_in;

fn file(folder: &tempfile::TempDir) -> ConfigFile {
    ConfigFile::new(folder.path().join("mcp.json"), Environment::default())
}

fn read(path: &std::path::Path) -> String {
    fs::read_to_string(path).expect("read file")
}

#[test]
fn a_new_file_has_one_disabled_example_of_each_kind() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = file(&folder);
    assert!(file.create_if_missing().expect("write file"));
    assert_eq!(read(file.path()), starter_text());
    let config = file.load().expect("a usable file");
    assert_eq!((&config.broken, &config.warnings), (&Vec::new(), &Vec::new()));
    assert!(config.servers.iter().all(|server| server.disabled && server.is_example()));
    let kinds: Vec<_> = config
        .servers
        .iter()
        .map(|server| match &server.transport {
            Transport::Http { headers, .. } if headers.is_empty() => (server.name.as_str(), "http"),
            Transport::Http { .. } => (server.name.as_str(), "http with a header"),
            Transport::Sse { .. } => (server.name.as_str(), "sse"),
            Transport::Stdio { .. } => (server.name.as_str(), "stdio"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("demo", "http"),
            ("example-http", "http"),
            ("example-key", "http with a header"),
            ("example-sse", "sse"),
            ("example-program", "stdio"),
        ]
    );
    assert_eq!(names_in(folder.path()), ["mcp.json"]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(file.path()).expect("metadata").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn an_existing_file_is_never_overwritten() {
    let folder = tempfile::tempdir().expect("temp dir");
    for text in ["", "// mine", "{}", "not JSON"] {
        fs::write(folder.path().join("mcp.json"), text).expect("write file");
        assert!(!file(&folder).create_if_missing().expect("nothing to do"));
        assert_eq!(read(&folder.path().join("mcp.json")), text);
    }
    #[cfg(unix)]
    {
        fs::remove_file(folder.path().join("mcp.json")).expect("remove file");
        std::os::unix::fs::symlink("missing", folder.path().join("mcp.json")).expect("create link");
        assert!(!file(&folder).create_if_missing().expect("nothing to do"));
        assert_eq!(names_in(folder.path()), ["mcp.json"]);
    }
}

#[test]
fn a_new_server_replaces_the_example_of_its_name_and_keeps_the_comment() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = file(&folder);
    file.create_if_missing().expect("write file");
    let url = Url::parse("http://127.0.0.1:4000/mcp").expect("valid URL");
    let config = file.add("demo", &NewServer::http(url.clone())).expect("add server");
    assert_eq!(config.servers[0].transport.url(), Some(&url));
    assert!(!config.servers[0].is_example() && !config.servers[0].disabled);
    assert!(read(file.path()).contains("// The demo needs no account."));
    file.set_disabled("example-sse", false).expect("enable");
    let config = file.load().expect("a usable file");
    assert!(!config.server("example-sse").expect("server exists").is_example());
    file.add("example-sse", &NewServer::http(url)).expect_err("it is not an example any more");
}

#[test]
fn restoring_saves_each_previous_file_under_its_own_name() {
    let folder = tempfile::tempdir().expect("temp dir");
    let file = file(&folder);
    assert_eq!(file.restore().expect("restore").saved_as, None);
    for (number, bytes) in
        [&b"{ broken"[..], b"\xff\xfe", &vec![b' '; 5 * 1024 * 1024]].into_iter().enumerate()
    {
        fs::write(file.path(), bytes).expect("write file");
        let saved = folder.path().join(format!("mcp.saved-{}.json", number + 1));
        assert_eq!(file.restore().expect("restore").saved_as.as_ref(), Some(&saved));
        assert_eq!(fs::read(&saved).expect("read file"), bytes);
        assert_eq!(read(file.path()), starter_text());
    }
    assert_eq!(
        names_in(folder.path()),
        ["mcp.json", "mcp.saved-1.json", "mcp.saved-2.json", "mcp.saved-3.json"]
    );
}

#[cfg(unix)]
#[test]
fn restoring_keeps_permissions_and_links_and_refuses_a_read_only_file() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempfile::tempdir().expect("temp dir");
    fs::create_dir(folder.path().join("dotfiles")).expect("create folder");
    let real = folder.path().join("dotfiles/real.json");
    fs::write(&real, "{}").expect("write file");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("set permissions");
    symlink("dotfiles/real.json", folder.path().join("mcp.json")).expect("create link");
    let saved = file(&folder).restore().expect("restore").saved_as.expect("a saved file");
    assert_eq!(fs::metadata(&saved).expect("metadata").permissions().mode() & 0o777, 0o640);
    assert_eq!((read(&saved), read(&real)), ("{}".to_owned(), starter_text().to_owned()));
    assert!(fs::symlink_metadata(folder.path().join("mcp.json")).expect("metadata").is_symlink());
    fs::set_permissions(&real, fs::Permissions::from_mode(0o440)).expect("set permissions");
    fs::write(folder.path().join("note"), "").expect("write file");
    file(&folder).restore().expect_err("read-only");
    assert_eq!(read(&real), starter_text());
}
