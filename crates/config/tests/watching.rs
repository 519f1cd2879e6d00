//! Changes to the file are noticed, however an editor makes them. The clock is tokio's, paused.

use std::fs;
use std::time::Duration;

use tokio::time::timeout;
use usher_config::{ConfigFile, ConfigWatch, Environment};

async fn is_told(watch: &mut ConfigWatch) -> bool {
    timeout(Duration::from_secs(10), watch.changed()).await.is_ok()
}

#[tokio::test(start_paused = true)]
async fn every_way_to_change_a_file_is_told_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("deep/mcp.json");
    let mut watch = ConfigFile::new(&path, Environment::default()).watch();
    assert!(!is_told(&mut watch).await, "nothing is there");

    fs::create_dir(folder.path().join("deep")).expect("made");
    assert!(!is_told(&mut watch).await, "still no file");

    fs::write(&path, "{}").expect("written");
    assert!(is_told(&mut watch).await, "made");
    assert!(!is_told(&mut watch).await, "told already");

    fs::write(&path, "[]").expect("written");
    assert!(is_told(&mut watch).await, "written in place, of the same length");

    let beside = folder.path().join("beside");
    fs::write(&beside, "{ }").expect("written");
    fs::rename(&beside, &path).expect("renamed");
    assert!(is_told(&mut watch).await, "replaced");

    fs::write(&path, "{ }").expect("written");
    assert!(!is_told(&mut watch).await, "the same contents");

    fs::remove_file(&path).expect("removed");
    assert!(is_told(&mut watch).await, "removed");

    #[cfg(unix)]
    {
        let target = folder.path().join("dotfile");
        fs::write(&target, "{}").expect("written");
        std::os::unix::fs::symlink(&target, &path).expect("linked");
        assert!(is_told(&mut watch).await, "linked");
        fs::write(&target, "{ \"a\": 1 }").expect("written");
        assert!(is_told(&mut watch).await, "the target changed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_change_that_was_interrupted_is_told_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mcp.json");
    let mut watch = ConfigFile::new(&path, Environment::default()).watch();
    fs::write(&path, "{}").expect("written");
    for _ in 0..3 {
        let early = timeout(Duration::from_millis(1), watch.changed()).await;
        assert!(early.is_err(), "it has not settled yet");
    }
    assert!(is_told(&mut watch).await);
}
