//! Watching the file, with tokio's clock paused.

use std::fs;
use std::path::Path;
use std::time::Duration;

use tokio::time::timeout;
use usher_config::{ConfigFile, ConfigWatch, Environment};

async fn has_changed(watch: &mut ConfigWatch) -> bool {
    timeout(Duration::from_secs(10), watch.changed()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_change_is_reported_once() {
    let folder = tempfile::tempdir().expect("temp dir");
    let path = folder.path().join("deep/mcp.json");
    let mut watch = ConfigFile::new(&path, Environment::default()).watch();
    assert!(!has_changed(&mut watch).await, "no folder");

    fs::create_dir(folder.path().join("deep")).expect("create folder");
    assert!(!has_changed(&mut watch).await, "no file");

    fs::write(&path, "{}").expect("write file");
    assert!(has_changed(&mut watch).await, "created");
    assert!(!has_changed(&mut watch).await, "already reported");

    fs::write(&path, "[]").expect("write file");
    assert!(has_changed(&mut watch).await, "written in place with the same length");

    let other = folder.path().join("other");
    fs::write(&other, "{ }").expect("write file");
    fs::rename(&other, &path).expect("rename file");
    assert!(has_changed(&mut watch).await, "replaced");

    fs::write(&path, "{ }").expect("write file");
    assert!(!has_changed(&mut watch).await, "same contents");

    fs::remove_file(&path).expect("remove");
    assert!(has_changed(&mut watch).await, "removed");

    #[cfg(unix)]
    {
        let target = folder.path().join("dotfile");
        fs::write(&target, "{}").expect("write file");
        std::os::unix::fs::symlink(&target, &path).expect("create link");
        assert!(has_changed(&mut watch).await, "linked");
        fs::write(&target, "{ \"a\": 1 }").expect("write file");
        assert!(has_changed(&mut watch).await, "the target changed");
    }
}

/// An editor that empties or removes the file before it writes the new text.
#[tokio::test(start_paused = true)]
async fn a_file_that_is_empty_for_a_moment_is_reported_with_its_new_text() {
    for empties in [
        |path: &Path| fs::write(path, ""),
        |path: &Path| fs::write(path, " \n"),
        |path: &Path| fs::remove_file(path),
    ] {
        let folder = tempfile::tempdir().expect("temp dir");
        let path = folder.path().join("mcp.json");
        fs::write(&path, "{}").expect("write file");
        let mut watch = ConfigFile::new(&path, Environment::default()).watch();
        empties(&path).expect("empty the file");
        let early = timeout(Duration::from_millis(1500), watch.changed()).await;
        assert!(early.is_err(), "the empty file was reported");
        fs::write(&path, "{ \"a\": 1 }").expect("write file");
        assert!(has_changed(&mut watch).await);
        assert!(!has_changed(&mut watch).await, "reported twice");

        empties(&path).expect("empty the file");
        assert!(has_changed(&mut watch).await, "a file that stays empty");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_during_a_cancelled_wait_is_reported_by_the_next_wait() {
    let folder = tempfile::tempdir().expect("temp dir");
    let path = folder.path().join("mcp.json");
    let mut watch = ConfigFile::new(&path, Environment::default()).watch();
    fs::write(&path, "{}").expect("write file");
    for _ in 0..3 {
        let early = timeout(Duration::from_millis(1), watch.changed()).await;
        assert!(early.is_err(), "a change was reported before the file was stable");
    }
    assert!(has_changed(&mut watch).await);
}
