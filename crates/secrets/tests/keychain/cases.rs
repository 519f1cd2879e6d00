//! The test cases of the keychain store.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::session::{Session, Store, command_without_session};

type Case = fn() -> Result<()>;

pub const ALL: &[(&str, Case)] = &[
    ("a_grant_round_trips", a_grant_round_trips),
    ("other_secrets_round_trip", other_secrets_round_trip),
    ("secret_tool_finds_the_item", secret_tool_finds_the_item),
    ("a_damaged_item_is_corrupt_and_unchanged", a_damaged_item_is_corrupt_and_unchanged),
    ("a_locked_keyring_is_not_reported_as_empty", a_locked_keyring_is_not_reported_as_empty),
    ("an_item_in_an_unlocked_collection_is_usable", an_item_in_an_unlocked_collection_is_usable),
    ("a_missing_session_bus_is_reported_immediately", a_missing_session_bus_is_reported_immediately),
    ("a_missing_keyring_is_reported_immediately", a_missing_keyring_is_reported_immediately),
    ("a_restarted_keyring_is_found_again", a_restarted_keyring_is_found_again),
    (
        "an_unresponsive_keyring_times_out_and_discards_writes",
        an_unresponsive_keyring_times_out_and_discards_writes,
    ),
    ("long_secrets_are_split", long_secrets_are_split),
    ("concurrent_tasks_do_not_disturb_each_other", concurrent_tasks_do_not_disturb_each_other),
];

fn a_grant_round_trips() -> Result<()> {
    let (session, _keyring, mut store) = Session::with_keyring()?;
    store.expect_all(&[
        ("check", "ok"),
        ("get notion", "none"),
        ("delete notion", "false"),
        ("put notion first 40", "ok"),
        ("get notion", "first 40"),
        ("put notion second 50", "ok"),
        ("delete-if notion first", "false"),
        ("get notion", "second 50"),
    ])?;
    // Another process finds the grant.
    let mut store = session.store()?;
    store.expect_all(&[
        ("get notion", "second 50"),
        ("get linear", "none"),
        ("delete-if notion second", "true"),
        ("get notion", "none"),
        ("put notion third 60", "ok"),
        ("delete notion", "true"),
        ("get notion", "none"),
    ])
}

fn other_secrets_round_trip() -> Result<()> {
    let (_session, _keyring, mut store) = Session::with_keyring()?;
    store.expect_all(&[
        ("list-named", ""),
        ("put-named b hunter2", "ok"),
        ("put-named a.c hunter3", "ok"),
        ("put notion first 4000", "ok"),
        ("list-named", "a.c b"),
        ("get-named b", "hunter2"),
        ("get-named c", "none"),
        ("delete-named b", "true"),
        ("delete-named b", "false"),
        ("list-named", "a.c"),
        ("client hunter4", "hunter4 true true"),
        ("pending hunter5", "hunter5 true"),
    ])
}

fn secret_tool_finds_the_item() -> Result<()> {
    let (session, _keyring, mut store) = Session::with_keyring()?;
    store.expect("put notion first 10", "ok")?;
    let found = session.secret_tool(&["search", "--all", "service", "dev.usher.desktop"])?;
    for part in ["label = Usher: notion\n", "username = grant:notion\n", "\"refresh_token\":\"first\""] {
        ensure!(found.contains(part), "{part} is not in {found}");
    }
    let lookup =
        session.secret_tool(&["lookup", "service", "dev.usher.desktop", "username", "grant:notion"])?;
    ensure!(lookup.starts_with("{\"version\":1,\"access_token\":\"xxxxxxxxxx\""), "{lookup}");
    Ok(())
}

fn a_damaged_item_is_corrupt_and_unchanged() -> Result<()> {
    let (session, _keyring, mut store) = Session::with_keyring()?;
    store.expect("put notion first 10", "ok")?;
    let attributes = ["service", "dev.usher.desktop", "username", "grant:notion"];
    let mut replace = session.command("sh");
    replace.args(["-c", "printf damaged | secret-tool store --label=x \"$@\"", "sh"]).args(attributes);
    ensure!(replace.status()?.success(), "secret-tool stored nothing");
    store.expect_all(&[("get notion", "corrupt"), ("delete-if notion first", "false")])?;
    let lookup = session.secret_tool(&[&["lookup"], &attributes[..]].concat())?;
    ensure!(lookup == "damaged", "{lookup}");
    // A new grant repairs the item.
    store.expect_all(&[("put notion second 10", "ok"), ("get notion", "second 10")])
}

fn a_locked_keyring_is_not_reported_as_empty() -> Result<()> {
    let (session, keyring, mut store) = Session::with_keyring()?;
    store.expect("put notion first 10", "ok")?;
    session.lock()?;
    let started = Instant::now();
    let mut new_store = session.store()?;
    for store in [&mut store, &mut new_store] {
        store.expect_all(&[
            ("check", "locked"),
            ("get notion", "locked"),
            ("get never-signed-in", "locked"),
            ("put notion second 10", "locked"),
            ("put other second 10", "locked"),
            ("delete notion", "locked"),
            ("list-named", "locked"),
        ])?;
    }
    ensure!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
    // After unlocking (here the keyring restarts with the password), everything is unchanged.
    drop(keyring);
    let _keyring = session.keyring()?;
    store.expect_all(&[("check", "ok"), ("get notion", "first 10"), ("get other", "none")])
}

/// The default collection may be locked although the collection of the existing items is not.
fn an_item_in_an_unlocked_collection_is_usable() -> Result<()> {
    let (session, _keyring, mut store) = Session::with_keyring()?;
    session.make_default("session")?;
    store.expect("put notion first 10", "ok")?;
    session.make_default("login")?;
    session.lock()?;
    store.expect_all(&[
        ("check", "locked"),
        ("get never-signed-in", "locked"),
        ("get notion", "first 10"),
        ("put notion second 10", "ok"),
        ("get notion", "second 10"),
        ("delete notion", "true"),
    ])
}

fn a_missing_session_bus_is_reported_immediately() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let exe = std::env::current_exe()?;
    let mut dead_bus = command_without_session(&exe, folder.path());
    dead_bus.env("DBUS_SESSION_BUS_ADDRESS", format!("unix:path={}/bus", folder.path().display()));
    for command in [command_without_session(&exe, folder.path()), dead_bus] {
        let mut store = Store::start(command)?;
        let started = Instant::now();
        store.expect_all(&[("check", "unavailable"), ("get notion", "unavailable")])?;
        store.expect_all(&[("put notion first 10", "unavailable"), ("list-named", "unavailable")])?;
        ensure!(started.elapsed() < Duration::from_secs(2), "it took {:?}", started.elapsed());
    }
    Ok(())
}

fn a_missing_keyring_is_reported_immediately() -> Result<()> {
    let session = Session::start()?;
    let mut store = session.store()?;
    let started = Instant::now();
    store.expect_all(&[("check", "unavailable"), ("get notion", "unavailable")])?;
    ensure!(started.elapsed() < Duration::from_secs(2), "it took {:?}", started.elapsed());
    // A keyring that starts later is found.
    let _keyring = session.keyring()?;
    store.expect_all(&[("check", "ok"), ("put notion first 10", "ok")])
}

fn a_restarted_keyring_is_found_again() -> Result<()> {
    let (session, keyring, mut store) = Session::with_keyring()?;
    store.expect("put notion first 10", "ok")?;
    drop(keyring);
    store.expect_all(&[("get notion", "unavailable"), ("delete notion", "unavailable")])?;
    let keyring = session.keyring()?;
    store.expect_all(&[("get notion", "first 10"), ("put notion second 10", "ok")])?;
    // The keyring is also found if no call was made while it was down.
    drop(keyring);
    let _keyring = session.keyring()?;
    store.expect_all(&[("put notion third 10", "ok"), ("get notion", "third 10")])
}

fn an_unresponsive_keyring_times_out_and_discards_writes() -> Result<()> {
    let (_session, keyring, mut store) = Session::with_keyring()?;
    store.expect("put notion first 10", "ok")?;
    keyring.stop()?;
    let started = Instant::now();
    store.expect("put notion old 10", "timed out")?;
    let waited = started.elapsed();
    ensure!((4..8).contains(&waited.as_secs()), "it waited {waited:?}");
    store.expect("delete notion", "timed out")?;
    keyring.resume()?;
    store.expect_all(&[("get notion", "first 10"), ("put notion new 10", "ok"), ("check", "ok")])?;
    store.expect("get notion", "new 10")?;
    // The program ends although a thread is stuck.
    keyring.stop()?;
    store.expect("get notion", "timed out")?;
    let ending = store.end()?;
    ensure!(ending < Duration::from_secs(2), "it took {ending:?} to end");
    Ok(())
}

fn long_secrets_are_split() -> Result<()> {
    let (session, _keyring, mut store) = Session::with_keyring()?;
    let items = || -> Result<usize> {
        let found = session.secret_tool(&["search", "--all", "service", "dev.usher.desktop"])?;
        for secret in found.lines().filter_map(|line| line.strip_prefix("secret = ")) {
            ensure!(secret.len() <= 2_560, "an item has {} bytes", secret.len());
        }
        Ok(found.matches("label = Usher: notion").count())
    };
    for (length, count) in [(9_000, 5), (20_000, 9), (10, 1), (2_500, 3)] {
        store.expect(&format!("put notion first {length}"), "ok")?;
        store.expect("get notion", &format!("first {length}"))?;
        let found = items()?;
        ensure!(found == count, "{length} bytes became {found} items instead of {count}");
    }
    store.expect_all(&[("delete notion", "true"), ("get notion", "none")])?;
    ensure!(items()? == 0, "parts were left behind");
    Ok(())
}

fn concurrent_tasks_do_not_disturb_each_other() -> Result<()> {
    let (_session, _keyring, mut store) = Session::with_keyring()?;
    store.expect("concurrent 16", "16 done")
}
