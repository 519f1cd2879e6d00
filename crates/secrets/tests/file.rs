//! The private file store: what it stores and rejects, and concurrent writers.

#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use tempfile::TempDir;
use usher_secrets::{Error, SecretStore, StoreKind, StoredGrant};

fn grant(refresh_token: &str) -> StoredGrant {
    StoredGrant {
        access_token: SecretString::from("access é"),
        refresh_token: Some(SecretString::from(refresh_token)),
        expires_at: Some("2026-11-21T10:00:00Z".parse::<Timestamp>().expect("a time")),
        scopes: vec!["read".to_owned(), "write".to_owned()],
        account: Some("ada@example.com".to_owned()),
        issuer: "https://as.example".to_owned(),
        token_endpoint: "https://as.example/token".to_owned(),
        revocation_endpoint: Some("https://as.example/revoke".to_owned()),
        client_id: "client".to_owned(),
        resource: "https://mcp.example/mcp".to_owned(),
        sends_resource: false,
        sends_scope: true,
        has_configured_endpoints: true,
        auth_method: "client_secret_post".to_owned(),
        dpop_key: Some(SecretString::from("private key")),
        token_type: "DPoP".to_owned(),
    }
}

/// Returns a grant as text, including its tokens, for comparisons.
fn to_text(grant: &StoredGrant) -> String {
    let expose =
        |secret: &Option<SecretString>| secret.as_ref().map(|secret| secret.expose_secret().to_owned());
    let (refresh_token, key) = (expose(&grant.refresh_token), expose(&grant.dpop_key));
    format!("{} {refresh_token:?} {key:?} {grant:?}", grant.access_token.expose_secret())
}

/// A secrets file in a temporary folder.
struct SecretsFile {
    temp: TempDir,
}

impl SecretsFile {
    fn new() -> Self {
        Self { temp: tempfile::tempdir().expect("temp dir") }
    }

    fn path(&self) -> PathBuf {
        self.temp.path().join("secrets.json")
    }

    fn store(&self) -> SecretStore {
        SecretStore::open(StoreKind::File(self.path()))
    }

    fn write(&self, text: &str) {
        fs::write(self.path(), text).expect("written");
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o600)).expect("set");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("present").mode() & 0o777
}

#[tokio::test]
async fn a_grant_round_trips() {
    let file = SecretsFile::new();
    let path = file.temp.path().join("new/folder/secrets.json");
    let store = SecretStore::open(StoreKind::File(path.clone()));
    store.check().await.expect("a missing file is valid");
    assert!(store.grant("notion").await.expect("readable").is_none());
    assert!(!path.exists(), "reading creates no file");

    store.put_grant("notion", &grant("r1")).await.expect("written");
    let other = SecretStore::open(StoreKind::File(path.clone()));
    let stored = other.grant("notion").await.expect("readable").expect("present");
    assert_eq!(to_text(&stored), to_text(&grant("r1")));
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().expect("parent")), 0o700);

    let bare = StoredGrant {
        refresh_token: None,
        expires_at: None,
        scopes: Vec::new(),
        account: None,
        revocation_endpoint: None,
        dpop_key: None,
        token_type: "Bearer".to_owned(),
        ..grant("")
    };
    store.put_grant("bare", &bare).await.expect("written");
    assert_eq!(to_text(&store.grant("bare").await.expect("readable").expect("present")), to_text(&bare));
}

#[tokio::test]
async fn a_grant_is_deleted_only_if_its_refresh_token_matches() {
    let file = SecretsFile::new();
    for store in [file.store(), SecretStore::open(StoreKind::Memory)] {
        let (old, new) = (SecretString::from("old"), SecretString::from("new"));
        assert!(!store.delete_grant_if("s", &old).await.expect("readable"));
        store.put_grant("s", &grant("new")).await.expect("written");
        assert!(!store.delete_grant_if("s", &old).await.expect("readable"));
        assert!(store.grant("s").await.expect("readable").is_some());
        assert!(store.delete_grant_if("s", &new).await.expect("written"));
        assert!(store.grant("s").await.expect("readable").is_none());
        assert!(!store.delete_grant("s").await.expect("readable"));
    }
}

#[tokio::test]
async fn other_secrets_round_trip() {
    let file = SecretsFile::new();
    for store in [file.store(), SecretStore::open(StoreKind::Memory)] {
        let secret = SecretString::from("usher-parts:{\"not\": a manifest}");
        store.put_named("b", &secret).await.expect("written");
        store.put_named("a", &secret).await.expect("written");
        store.put_client_secret("https://as.example", "id", &secret).await.expect("written");
        store.put_pending("s", &secret).await.expect("written");
        store.put_grant("s", &grant("r")).await.expect("written");
        assert_eq!(store.named_list().await.expect("readable"), ["a", "b"]);
        for secret_read in [
            store.named("b").await,
            store.client_secret("https://as.example", "id").await,
            store.pending("s").await,
        ] {
            assert_eq!(
                secret_read.expect("readable").expect("present").expose_secret(),
                secret.expose_secret()
            );
        }
        assert!(store.client_secret("https://as.example", "other").await.expect("readable").is_none());
        assert!(store.delete_named("b").await.expect("written"));
        assert!(store.delete_client_secret("https://as.example", "id").await.expect("written"));
        assert!(store.delete_pending("s").await.expect("written"));
        assert_eq!(store.named_list().await.expect("readable"), ["a"]);
        assert!(store.grant("s").await.expect("readable").is_some());
    }
}

#[tokio::test]
async fn invalid_names_are_rejected() {
    let store = SecretStore::open(StoreKind::Memory);
    for name in ["", "a\0b", "line\nbreak", &"x".repeat(351)] {
        assert!(matches!(store.grant(name).await, Err(Error::InvalidName { .. })), "{name:?}");
        let error = store.put_named(name, &SecretString::from("s")).await.expect_err("rejected");
        assert!(matches!(error, Error::InvalidName { .. }), "{name:?}");
    }
    store.put_named("../../x", &SecretString::from("s")).await.expect("names are not paths");
}

#[tokio::test]
async fn a_file_that_others_can_access_is_rejected_and_unchanged() {
    for mode in [0o640, 0o604, 0o620, 0o660, 0o666, 0o601] {
        let file = SecretsFile::new();
        file.write("{\"version\": 1, \"secrets\": {}}");
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("set");
        let before = fs::read(file.path()).expect("readable");
        let store = file.store();
        for error in [
            store.check().await.expect_err("rejected"),
            store.grant("s").await.map(drop).expect_err("rejected"),
            store.put_grant("s", &grant("r")).await.expect_err("rejected"),
            store.delete_grant("s").await.map(drop).expect_err("rejected"),
        ] {
            assert!(matches!(error, Error::UnsafeFile { .. }), "{mode:o}: {error}");
            assert!(error.hint().contains("chmod 600"), "{}", error.hint());
        }
        assert_eq!(fs::read(file.path()).expect("readable"), before);
    }
}

#[tokio::test]
async fn links_folders_and_pipes_are_rejected() {
    let file = SecretsFile::new();
    let target = file.temp.path().join("target");
    fs::write(&target, "{\"version\": 1, \"secrets\": {}}").expect("written");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("set");
    symlink(&target, file.path()).expect("linked");
    let error = file.store().put_grant("s", &grant("r")).await.expect_err("rejected");
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert_eq!(fs::read_to_string(&target).expect("readable"), "{\"version\": 1, \"secrets\": {}}");

    let folder = file.temp.path().join("folder");
    fs::create_dir(&folder).expect("created");
    assert!(SecretStore::open(StoreKind::File(folder)).check().await.is_err());

    let pipe = file.temp.path().join("pipe");
    let status = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(status.success());
    fs::set_permissions(&pipe, fs::Permissions::from_mode(0o600)).expect("set");
    let error = SecretStore::open(StoreKind::File(pipe)).check().await.expect_err("rejected");
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[tokio::test]
async fn a_lock_that_is_a_link_a_pipe_or_open_to_others_is_rejected() {
    fn private(path: &Path, mode: u32) {
        fs::write(path, "").expect("written");
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("set");
    }
    fn link(lock: &Path) {
        private(&lock.with_extension("target"), 0o600);
        symlink(lock.with_extension("target"), lock).expect("linked");
    }
    fn pipe(lock: &Path) {
        let status = std::process::Command::new("mkfifo").args(["-m", "600"]).arg(lock).status();
        assert!(status.expect("mkfifo runs").success());
    }
    fn open(lock: &Path) {
        private(lock, 0o606);
    }
    let cases = [
        (link as fn(&Path), "symbolic link"),
        (pipe, "not a regular file"),
        (open, "other users can access it"),
    ];
    for (prepare, why) in cases {
        let file = SecretsFile::new();
        prepare(&file.temp.path().join("secrets.json.lock"));
        let error = file.store().put_grant("s", &grant("r")).await.expect_err("rejected");
        assert!(matches!(error, Error::UnsafeFile { .. }) && error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn an_invalid_file_is_an_error_and_unchanged() {
    for text in [
        "",
        "not json",
        "{\"version\": 1",
        "{\"version\": 2, \"secrets\": {}}",
        "{\"version\": 1, \"secrets\": {\"grant:s\": 5}}",
        "[]",
    ] {
        let file = SecretsFile::new();
        file.write(text);
        let store = file.store();
        for error in [
            store.grant("s").await.map(drop).expect_err("rejected"),
            store.put_grant("s", &grant("r")).await.expect_err("rejected"),
            store.delete_grant("s").await.map(drop).expect_err("rejected"),
        ] {
            assert!(matches!(error, Error::BrokenFile { .. }), "{text}: {error}");
        }
        assert_eq!(fs::read_to_string(file.path()).expect("readable"), text);
    }
}

#[tokio::test]
async fn an_invalid_grant_is_corrupt_and_unchanged() {
    for grant in ["", "{}", "{\"version\":9}", "{\"version\":1,\"access_token\":\"hunter2\"}", "[1]"] {
        let file = SecretsFile::new();
        let text = serde_json::json!({"version": 1, "secrets": {"grant:s": grant, "named:a": "valid"}});
        file.write(&text.to_string());
        let store = file.store();
        let error = store.grant("s").await.expect_err("corrupt");
        assert!(matches!(&error, Error::Corrupt { item, .. } if item == "grant:s"), "{grant}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let any = SecretString::from("hunter2");
        assert!(!store.delete_grant_if("s", &any).await.expect("not deleted"));
        assert_eq!(fs::read_to_string(file.path()).expect("readable"), text.to_string());
        assert!(store.named("a").await.expect("readable").is_some());
    }
}

/// A newer Usher may add fields to the same version of the format.
#[tokio::test]
async fn unknown_fields_of_a_grant_are_ignored() {
    let file = SecretsFile::new();
    let grant = serde_json::json!({
        "version": 1, "access_token": "a", "issuer": "i", "token_endpoint": "t", "client_id": "c",
        "resource": "r", "auth_method": "none", "invented_later": {"x": [1]}
    });
    file.write(&serde_json::json!({"version": 1, "secrets": {"grant:s": grant.to_string()}}).to_string());
    let grant = file.store().grant("s").await.expect("readable").expect("present");
    assert_eq!(grant.access_token.expose_secret(), "a");
    assert!(grant.sends_resource, "the default for grants without this field");
    assert_eq!(grant.expires_at, None);
}

/// A file larger than what is read would lose every secret in it.
#[tokio::test]
async fn secrets_that_would_make_the_file_unreadable_are_refused() {
    let file = SecretsFile::new();
    let store = file.store();
    store.put_grant("first", &grant("r")).await.expect("written");
    let too_long = SecretString::from("x".repeat(256 * 1024 + 1));
    assert!(matches!(store.put_named("long", &too_long).await, Err(Error::TooLong { .. })));
    let long = SecretString::from("x".repeat(256 * 1024));
    let mut refused = None;
    for number in 0..20 {
        if let Err(error) = store.put_named(&format!("long-{number}"), &long).await {
            refused = Some(error);
            break;
        }
    }
    assert!(matches!(refused, Some(Error::Full { .. })), "{refused:?}");
    assert!(file.store().grant("first").await.expect("readable").is_some());
    assert!(store.named("long-0").await.expect("readable").is_some());
}

/// Each store opens the lock file itself, like a separate process.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_lose_nothing() {
    let file = SecretsFile::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = file.store();
        tasks.spawn(async move {
            for round in 0..3 {
                store.put_grant(&format!("s{number}"), &grant(&format!("r{round}"))).await.expect("written");
            }
        });
    }
    while let Some(result) = tasks.join_next().await {
        result.expect("no task panics");
    }
    for number in 0..16 {
        let stored = file.store().grant(&format!("s{number}")).await.expect("readable").expect("present");
        assert_eq!(to_text(&stored), to_text(&grant("r2")));
    }
    assert_eq!(names(&file), ["secrets.json", "secrets.json.lock"]);
}

/// A killed writer may leave a partial or complete copy of all secrets.
#[tokio::test]
async fn the_next_write_removes_the_temporary_file_of_a_killed_writer() {
    let file = SecretsFile::new();
    let store = file.store();
    store.put_grant("s", &grant("r")).await.expect("written");
    for contents in ["{ \"version\": 1, \"secr", &fs::read_to_string(file.path()).expect("readable")] {
        fs::write(file.temp.path().join("secrets.json.new"), contents).expect("written");
        assert!(store.grant("s").await.expect("readable").is_some());
        store.put_grant("s", &grant("r2")).await.expect("written");
        assert_eq!(names(&file), ["secrets.json", "secrets.json.lock"]);
    }
    let stored = store.grant("s").await.expect("readable").expect("present");
    assert_eq!(to_text(&stored), to_text(&grant("r2")));
}

fn names(file: &SecretsFile) -> Vec<String> {
    let entries = fs::read_dir(file.temp.path()).expect("temp dir");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn debug_output_contains_no_tokens() {
    let grant = grant("hunter2");
    assert!(!format!("{grant:?}").contains("hunter2"));
    assert!(!format!("{grant:?}").contains("access é"));
    assert_eq!(format!("{:?}", SecretStore::open(StoreKind::Memory)), "SecretStore { kind: Memory, .. }");
}
