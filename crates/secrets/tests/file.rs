//! The private file: what it keeps, what it refuses, and that nothing is lost between several at once.

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
        auth_method: "client_secret_post".to_owned(),
    }
}

/// Everything in a grant, tokens included, as text to compare.
fn whole(grant: &StoredGrant) -> String {
    let refresh_token = grant.refresh_token.as_ref().map(|token| token.expose_secret());
    format!("{} {refresh_token:?} {grant:?}", grant.access_token.expose_secret())
}

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("secrets.json")
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
    fs::metadata(path).expect("there").mode() & 0o777
}

#[tokio::test]
async fn a_grant_comes_back_whole() {
    let place = Place::new();
    let path = place.folder.path().join("new/folder/secrets.json");
    let store = SecretStore::open(StoreKind::File(path.clone()));
    store.check().await.expect("nothing yet is fine");
    assert!(store.grant("notion").await.expect("readable").is_none());
    assert!(!path.exists(), "reading makes nothing");

    store.put_grant("notion", &grant("r1")).await.expect("written");
    let other = SecretStore::open(StoreKind::File(path.clone()));
    let kept = other.grant("notion").await.expect("readable").expect("there");
    assert_eq!(whole(&kept), whole(&grant("r1")));
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().expect("a folder")), 0o700);

    let bare = StoredGrant {
        refresh_token: None,
        expires_at: None,
        scopes: Vec::new(),
        account: None,
        revocation_endpoint: None,
        ..grant("")
    };
    store.put_grant("bare", &bare).await.expect("written");
    assert_eq!(whole(&store.grant("bare").await.expect("readable").expect("there")), whole(&bare));
}

#[tokio::test]
async fn every_kind_of_store_compares_before_it_deletes() {
    let place = Place::new();
    for store in [place.store(), SecretStore::open(StoreKind::Memory)] {
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
async fn every_kind_of_store_keeps_the_other_secrets() {
    let place = Place::new();
    for store in [place.store(), SecretStore::open(StoreKind::Memory)] {
        let secret = SecretString::from("usher-parts:{\"not\": a manifest}");
        store.put_named("b", &secret).await.expect("written");
        store.put_named("a", &secret).await.expect("written");
        store.put_client_secret("https://as.example", "id", &secret).await.expect("written");
        store.put_pending("s", &secret).await.expect("written");
        store.put_grant("s", &grant("r")).await.expect("written");
        assert_eq!(store.named_list().await.expect("readable"), ["a", "b"]);
        for kept in [
            store.named("b").await,
            store.client_secret("https://as.example", "id").await,
            store.pending("s").await,
        ] {
            assert_eq!(kept.expect("readable").expect("there").expose_secret(), secret.expose_secret());
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
async fn names_that_cannot_be_kept_are_refused() {
    let store = SecretStore::open(StoreKind::Memory);
    for name in ["", "a\0b", "line\nbreak", &"x".repeat(351)] {
        assert!(matches!(store.grant(name).await, Err(Error::InvalidName { .. })), "{name:?}");
        let error = store.put_named(name, &SecretString::from("s")).await.expect_err("refused");
        assert!(matches!(error, Error::InvalidName { .. }), "{name:?}");
    }
    store.put_named("../../x", &SecretString::from("s")).await.expect("names are no paths");
}

#[tokio::test]
async fn a_file_that_others_may_reach_is_refused_and_stays() {
    for mode in [0o640, 0o604, 0o620, 0o660, 0o666, 0o601] {
        let place = Place::new();
        place.write("{\"version\": 1, \"secrets\": {}}");
        fs::set_permissions(place.path(), fs::Permissions::from_mode(mode)).expect("set");
        let before = fs::read(place.path()).expect("readable");
        let store = place.store();
        for error in [
            store.check().await.expect_err("refused"),
            store.grant("s").await.map(drop).expect_err("refused"),
            store.put_grant("s", &grant("r")).await.expect_err("refused"),
            store.delete_grant("s").await.map(drop).expect_err("refused"),
        ] {
            assert!(matches!(error, Error::UnsafeFile { .. }), "{mode:o}: {error}");
            assert!(error.hint().contains("chmod 600"), "{}", error.hint());
        }
        assert_eq!(fs::read(place.path()).expect("readable"), before);
    }
}

#[tokio::test]
async fn links_folders_and_pipes_are_refused() {
    let place = Place::new();
    let target = place.folder.path().join("target");
    fs::write(&target, "{\"version\": 1, \"secrets\": {}}").expect("written");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).expect("set");
    symlink(&target, place.path()).expect("linked");
    let error = place.store().put_grant("s", &grant("r")).await.expect_err("refused");
    assert!(error.to_string().contains("symbolic link"), "{error}");
    assert_eq!(fs::read_to_string(&target).expect("readable"), "{\"version\": 1, \"secrets\": {}}");

    let folder = place.folder.path().join("folder");
    fs::create_dir(&folder).expect("made");
    assert!(SecretStore::open(StoreKind::File(folder)).check().await.is_err());

    let pipe = place.folder.path().join("pipe");
    let status = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs");
    assert!(status.success());
    fs::set_permissions(&pipe, fs::Permissions::from_mode(0o600)).expect("set");
    let error = SecretStore::open(StoreKind::File(pipe)).check().await.expect_err("refused");
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

#[tokio::test]
async fn a_planted_link_in_place_of_the_lock_is_refused() {
    let place = Place::new();
    symlink("/dev/null", place.folder.path().join("secrets.json.lock")).expect("linked");
    let error = place.store().put_grant("s", &grant("r")).await.expect_err("refused");
    assert!(matches!(error, Error::UnsafeFile { .. }), "{error}");
}

#[tokio::test]
async fn a_broken_file_is_an_error_and_never_overwritten() {
    for text in [
        "",
        "not json",
        "{\"version\": 1",
        "{\"version\": 2, \"secrets\": {}}",
        "{\"version\": 1, \"secrets\": {\"grant:s\": 5}}",
        "[]",
    ] {
        let place = Place::new();
        place.write(text);
        let store = place.store();
        for error in [
            store.grant("s").await.map(drop).expect_err("refused"),
            store.put_grant("s", &grant("r")).await.expect_err("refused"),
            store.delete_grant("s").await.map(drop).expect_err("refused"),
        ] {
            assert!(matches!(error, Error::BrokenFile { .. }), "{text}: {error}");
        }
        assert_eq!(fs::read_to_string(place.path()).expect("readable"), text);
    }
}

#[tokio::test]
async fn a_broken_grant_is_corrupt_and_stays() {
    for grant in ["", "{}", "{\"version\":9}", "{\"version\":1,\"access_token\":\"hunter2\"}", "[1]"] {
        let place = Place::new();
        let text = serde_json::json!({"version": 1, "secrets": {"grant:s": grant, "named:a": "kept"}});
        place.write(&text.to_string());
        let store = place.store();
        let error = store.grant("s").await.expect_err("corrupt");
        assert!(matches!(&error, Error::Corrupt { item, .. } if item == "grant:s"), "{grant}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
        let any = SecretString::from("hunter2");
        assert!(!store.delete_grant_if("s", &any).await.expect("left alone"));
        assert_eq!(fs::read_to_string(place.path()).expect("readable"), text.to_string());
        assert!(store.named("a").await.expect("readable").is_some());
    }
}

/// A newer program of the same version of the format may know more.
#[tokio::test]
async fn unknown_fields_of_a_grant_are_tolerated() {
    let place = Place::new();
    let kept = serde_json::json!({
        "version": 1, "access_token": "a", "issuer": "i", "token_endpoint": "t", "client_id": "c",
        "resource": "r", "auth_method": "none", "invented_later": {"x": [1]}
    });
    place.write(&serde_json::json!({"version": 1, "secrets": {"grant:s": kept.to_string()}}).to_string());
    let kept = place.store().grant("s").await.expect("readable").expect("there");
    assert_eq!(kept.access_token.expose_secret(), "a");
    assert!(kept.sends_resource, "the default of before this field");
    assert_eq!(kept.expires_at, None);
}

/// Several stores, as several processes would be: each has a lock file handle of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_lose_nothing() {
    let place = Place::new();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..16 {
        let store = place.store();
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
        let kept = place.store().grant(&format!("s{number}")).await.expect("readable").expect("there");
        assert_eq!(whole(&kept), whole(&grant("r2")));
    }
    assert_eq!(names(&place), ["secrets.json", "secrets.json.lock"]);
}

/// A writer that was killed leaves every secret behind, half written or whole.
#[tokio::test]
async fn what_a_killed_writer_left_goes_with_the_next_write() {
    let place = Place::new();
    let store = place.store();
    store.put_grant("s", &grant("r")).await.expect("written");
    for left in ["{ \"version\": 1, \"secr", &fs::read_to_string(place.path()).expect("readable")] {
        fs::write(place.folder.path().join("secrets.json.new"), left).expect("left behind");
        assert!(store.grant("s").await.expect("readable").is_some());
        store.put_grant("s", &grant("r2")).await.expect("written");
        assert_eq!(names(&place), ["secrets.json", "secrets.json.lock"]);
    }
    let kept = store.grant("s").await.expect("readable").expect("there");
    assert_eq!(whole(&kept), whole(&grant("r2")));
}

fn names(place: &Place) -> Vec<String> {
    let entries = fs::read_dir(place.folder.path()).expect("a folder");
    let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
    let mut names: Vec<_> = entries.map(|entry| name(entry).into_string().expect("UTF-8")).collect();
    names.sort();
    names
}

#[tokio::test]
async fn nothing_prints_a_token() {
    let grant = grant("hunter2");
    assert!(!format!("{grant:?}").contains("hunter2"));
    assert!(!format!("{grant:?}").contains("access é"));
    assert_eq!(format!("{:?}", SecretStore::open(StoreKind::Memory)), "SecretStore { kind: Memory, .. }");
}
